// @ts-check
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const PROJECT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** What set-up makes and may be thrown away at any time. Several work trees may share one. */
export const CACHE = process.env['BACKSTOP_SETUP_CACHE'] ?? join(PROJECT, '.cache');

/** Docker looks for plug-ins (Compose) here. */
export const DOCKER_PLUGINS = join(process.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker'), 'cli-plugins');

/** Put before a program that only root may run, in the commands that people are told to run. */
export const SUDO = process.getuid?.() === 0 ? '' : 'sudo ';

export const IS_ROOT = process.getuid?.() === 0;
