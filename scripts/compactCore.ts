/** A second minifier over the core: it folds what the bundler's own leaves, half a kilobyte of every download. */
import { minify } from "terser";
import type { Plugin } from "vite";

export function compactCore(fileName: string): Plugin {
  return {
    name: "bitexact-compact-core",
    apply: "build",
    enforce: "post",
    async generateBundle(_options, bundle) {
      const chunk = bundle[fileName];
      if (chunk?.type !== "chunk") return;
      const { code } = await minify(chunk.code, {
        module: true,
        ecma: 2020,
        compress: { passes: 2 },
        mangle: false,
        keep_classnames: true,
        format: { comments: /@vite-ignore|webpackIgnore/ }, // words for the bundlers of users
      });
      chunk.code = (code ?? chunk.code).replace(/\n?\/\*\s*([^*]*?)\s*\*\/\n?/g, "/*$1*/"); // the words on lines of their own cost more
    },
  };
}
