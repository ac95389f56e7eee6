// Makes the icons of all platforms from icon.svg and tray-template.svg, with the Chromium that the tests use:
//
//   CHROME_PATH=/usr/bin/chromium node resources/make-icons.mjs
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const here = import.meta.dirname;
const LINUX_SIZES = [16, 24, 32, 48, 64, 128, 256, 512];
const WINDOWS_SIZES = [16, 24, 32, 48, 64, 128, 256];
/** Types of the entries of an ICNS file that hold PNG, with their sizes in pixels. */
const MAC_TYPES = /** @type {const} */ ([
  ['icp4', 16],
  ['icp5', 32],
  ['icp6', 64],
  ['ic07', 128],
  ['ic08', 256],
  ['ic09', 512],
  ['ic10', 1024],
  ['ic11', 32],
  ['ic12', 64],
  ['ic13', 256],
  ['ic14', 512],
]);

const browser = await chromium.launch({
  executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
const page = await browser.newPage();

/** @param {string} name of the drawing @param {number} size in pixels @returns {Promise<Buffer>} PNG */
async function draw(name, size) {
  const svg = readFileSync(join(here, name)).toString('base64');
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(
    `<body style="margin:0"><img width="${size}" height="${size}" style="display:block" src="data:image/svg+xml;base64,${svg}">`,
  );
  await page.locator('img').evaluate((img) => img.decode());
  return page.screenshot({ omitBackground: true, type: 'png' });
}

/** @param {readonly (readonly [number, Buffer])[]} images size in pixels and PNG */
function ico(images) {
  const head = Buffer.alloc(6 + 16 * images.length);
  head.writeUInt16LE(1, 2); // an icon, no cursor
  head.writeUInt16LE(images.length, 4);
  let offset = head.length;
  images.forEach(([size, png], index) => {
    const at = 6 + 16 * index;
    head.writeUInt8(size % 256, at); // 0 stands for 256
    head.writeUInt8(size % 256, at + 1);
    head.writeUInt16LE(1, at + 4); // planes
    head.writeUInt16LE(32, at + 6); // bits of a pixel
    head.writeUInt32LE(png.length, at + 8);
    head.writeUInt32LE(offset, at + 12);
    offset += png.length;
  });
  return Buffer.concat([head, ...images.map(([, png]) => png)]);
}

/** @param {readonly (readonly [string, Buffer])[]} images type and PNG */
function icns(images) {
  const entries = images.map(([type, png]) => {
    const head = Buffer.alloc(8);
    head.write(type, 0, 'latin1');
    head.writeUInt32BE(png.length + 8, 4);
    return Buffer.concat([head, png]);
  });
  const head = Buffer.alloc(8);
  head.write('icns', 0, 'latin1');
  head.writeUInt32BE(8 + entries.reduce((sum, { length }) => sum + length, 0), 4);
  return Buffer.concat([head, ...entries]);
}

/** @type {Map<number, Buffer>} */
const icons = new Map();
for (const size of new Set([...LINUX_SIZES, ...WINDOWS_SIZES, ...MAC_TYPES.map(([, size]) => size)])) {
  icons.set(size, await draw('icon.svg', size));
}
/** @param {number} size */
const icon = (size) => /** @type {Buffer} */ (icons.get(size));

mkdirSync(join(here, 'icons'), { recursive: true });
for (const size of LINUX_SIZES) writeFileSync(join(here, 'icons', `${size}x${size}.png`), icon(size));
writeFileSync(join(here, 'icon.png'), icon(512));
writeFileSync(join(here, 'icon.ico'), ico(WINDOWS_SIZES.map((size) => [size, icon(size)])));
writeFileSync(join(here, 'icon.icns'), icns(MAC_TYPES.map(([type, size]) => [type, icon(size)])));
writeFileSync(join(here, 'tray.png'), icon(32));
writeFileSync(join(here, 'tray@2x.png'), icon(64));
writeFileSync(join(here, 'trayTemplate.png'), await draw('tray-template.svg', 18));
writeFileSync(join(here, 'trayTemplate@2x.png'), await draw('tray-template.svg', 36));
await browser.close();
