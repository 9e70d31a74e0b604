#!/bin/sh
# After `npm ci`: builds what a checkout runs. Without a build it runs its source, which starts slower, so none is no failure.
if [ ! -d node_modules/rolldown ] || [ ! -x node_modules/node/bin/node ]; then
  echo 'tidemark is not built, as npm left out what builds it: it runs from its source, which starts slower' >&2
elif ! node build/is-built.ts && ! npm run --silent build; then
  echo 'tidemark could not be built: it runs from its source, which starts slower; `npm run build` tries again' >&2
fi
