/**
 * What every child starts with. Fixed, and not a copy of our own environment, for three reasons: no secret of Backstop can
 * leak into a tool; messages are English, because we read them (`LC_ALL=C`); and no file of the service's user, such as
 * `~/.pgpass` or `~/.psqlrc`, can change what a tool does (`HOME` is a folder without any).
 */
const BASE: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/nonexistent',
  LANG: 'C',
  LC_ALL: 'C',
  TZ: 'UTC',
};

/** The whole environment of a child: the fixed base, and over it what its command gives. */
export function childEnvironment(given: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { ...BASE, ...given };
}
