import type { Request } from 'express';

/** As much of a layer of Express's router as is looked at here; its types do not tell of it. */
interface RouteLayer {
  route: { methods: Readonly<Record<string, boolean>> };
  match(path: string): unknown;
}

/** Middleware for a path is a route that takes every method there is, and answers none; no operation takes this one. */
const NOBODYS = 'trace';

/** The methods that operations have at the path of a request, in capitals; none for a path that nobody knows. */
export function allowedMethods({ app, path }: Request): string[] {
  const layers: readonly unknown[] = app.router.stack;
  const methods = layers
    .filter(isRoute)
    .filter((layer) => !(NOBODYS in layer.route.methods) && layer.match(path))
    .flatMap(({ route }) => Object.keys(route.methods));
  // Express answers HEAD by what is there for GET.
  if (methods.includes('get')) methods.push('head');
  return [...new Set(methods)].map((method) => method.toUpperCase()).toSorted();
}

/** Middleware for every path has no route. */
function isRoute(layer: unknown): layer is RouteLayer {
  return typeof layer === 'object' && layer !== null && 'route' in layer && layer.route !== undefined;
}
