/** A module of the built service, by its path in `dist`: what is measured is what runs. */
export async function built<Module>(file: string): Promise<Module> {
  return (await import(new URL(`../../dist/${file}`, import.meta.url).href)) as Module;
}
