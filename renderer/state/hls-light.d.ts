/** The small build of hls.js brings no types of its own; what is used here is the same as in the whole one. */
declare module 'hls.js/light' {
  export { default, ErrorDetails, ErrorTypes, Events } from 'hls.js';
}
