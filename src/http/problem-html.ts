import type { ProblemPage } from './problem-pages.js';

const STYLE = `body { font: 1.0625rem/1.6 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem }
code, pre { font: 0.9em ui-monospace, monospace; background: #8881; border-radius: 0.2em; padding: 0.1em 0.25em }
pre { padding: 0.75em 1em; overflow-x: auto }
pre code { background: none; padding: 0 }
:root { color-scheme: light dark }`;

/**
 * The page of a problem for a browser. The text is ours, from `docs/problems`, and nothing of the request is in it. What renders
 * it is loaded with the first page that somebody asks for.
 */
export async function problemHtml({ title, markdown }: ProblemPage): Promise<string> {
  const { marked } = await import('marked');
  // As a file a page is called `code.md`, as it is for who reads the folder.
  const body = (await marked(markdown)).replaceAll(/href="([a-z0-9-]+)\.md"/g, 'href="$1"');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeText(title)}</title>
<style>${STYLE}</style>
<body>
${body}</body>
</html>
`;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
