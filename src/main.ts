/**
 * Starts the service, with V8's young generation kept at the 1 MiB that it begins with; it would grow to 16.
 *
 * A dump goes by in buffers outside of V8's heap, which are freed when their small handles are collected. In a large young
 * generation the handles wait so long that V8 takes the buffers for pressure and marks the *whole* heap, once for every 13 MB of
 * a dump: a third of the CPU time of a backup, and 55 MB of resident memory (measured; decision 11). The flag does the same on
 * the command line, but only for those who give it there. It must be set before the service is loaded, for that lets the
 * generation grow already: therefore the import below is a dynamic one.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--semi-space-growth-factor=1');
await import('./serve.js');
