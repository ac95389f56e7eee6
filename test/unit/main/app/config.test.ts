import { describe, expect, it } from 'vitest';
import { CONFIG_VARIABLE, shellConfig, shellEnvironment } from '../../../../main/app/config.ts';

const places = {
  dataDir: '/home/me/.config/ace-node',
  appDir: '/opt/ace/resources/app.asar',
  resourcesDir: '/opt/ace/resources',
  isPackaged: false,
};

describe('shellConfig', () => {
  it('uses the places of the system when the app was opened by itself', () => {
    expect(shellConfig({}, places)).toEqual({
      dataDir: '/home/me/.config/ace-node',
      resourcesDir: '/opt/ace/resources',
      pagesDir: '/opt/ace/resources/app.asar/out/renderer',
    });
  });

  it('takes over what the command line was given', () => {
    const config = {
      dataDir: '/d',
      resourcesDir: '/r',
      pagesDir: '/p',
      httpPort: 0,
      joinMultiaddr: '/ip4/1.2.3.4',
    };
    expect(shellConfig(shellEnvironment(config), places)).toEqual(config);
    const { httpPort: _port, joinMultiaddr: _join, ...least } = config;
    expect(shellConfig(shellEnvironment(least), places)).toEqual(least);
  });

  it('shows the pages of its own package, whatever it was told: they act with its rights', () => {
    const told = shellEnvironment({ dataDir: '/d', resourcesDir: '/evil', pagesDir: '/evil', httpPort: 1 });
    expect(shellConfig(told, { ...places, isPackaged: true })).toEqual({
      dataDir: '/d',
      httpPort: 1,
      resourcesDir: '/opt/ace/resources',
      pagesDir: '/opt/ace/resources/app.asar/out/renderer',
    });
  });

  it('takes the passphrase from its own variable, never from the configuration', () => {
    const config = { dataDir: '/d', resourcesDir: '/r', pagesDir: '/p', passphrase: 'secret' };
    expect(JSON.stringify(shellEnvironment(config))).not.toContain('secret');
    expect(shellConfig({ ACE_NODE_PASSPHRASE: 'secret' }, places).passphrase).toBe('secret');
  });

  it('takes an empty variable for one that is not set', () => {
    const config = shellConfig({ [CONFIG_VARIABLE]: '', ACE_NODE_PASSPHRASE: '' }, places);
    expect(config).toEqual(shellConfig({}, places));
    expect(config).not.toHaveProperty('passphrase');
  });

  it.each(['null', '{}', '{"dataDir":1}', 'nonsense'])('refuses %s', (text) => {
    expect(() => shellConfig({ [CONFIG_VARIABLE]: text }, places)).toThrow(
      expect.objectContaining({ code: 'InvalidInput' }),
    );
  });
});
