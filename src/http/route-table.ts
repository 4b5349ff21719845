import type { RouteOptions } from 'fastify';

/** All routes as they were declared: which methods a path has, and what the documentation is made from. */
export class RouteTable {
  readonly routes: RouteOptions[] = [];
  readonly #patterns: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];

  add(route: RouteOptions): void {
    this.routes.push(route);
    const methods = Array.isArray(route.method) ? route.method : [route.method];
    this.#patterns.push({ pattern: patternOf(route.url), methods });
  }

  methods(path: string): readonly string[] {
    const found = this.#patterns.filter(p => p.pattern.test(path)).flatMap(p => p.methods);
    return [...new Set(found)].sort();
  }
}

function patternOf(url: string): RegExp {
  const source = url
    .split('/')
    .map(part =>
      part === '*' ? '.+' : part.startsWith(':') ? '[^/]+' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    )
    .join('/');
  return new RegExp(`^${source}$`);
}
