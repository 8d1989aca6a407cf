#!/usr/bin/env bash
# Runs every example in its small form; fails at the first that does not end well:  examples/run-all.sh [--full]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
size=(-- --small)
if [ "${1:-}" = --full ]; then size=(); fi
for example in examples/*.cs; do
    echo "$example"
    dotnet run "$example" "${size[@]}" < /dev/null | sed 's/^/    /'
done
echo examples/vector-store
dotnet run -c Release --project examples/vector-store "${size[@]}" < /dev/null | sed 's/^/    /'
