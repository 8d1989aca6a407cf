#!/usr/bin/env bash
# Builds projects in the form that the scripts run (Release); prints what went wrong, and nothing else:  eng/build.sh PROJECT...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. eng/env.sh
mkdir -p artifacts
for project in "$@"; do
    if ! dotnet build "$project" -c Release --nologo -v quiet > artifacts/build.log 2>&1 < /dev/null; then
        grep -E ': (error|warning) ' artifacts/build.log | sed 's/ \[[^]]*\]$//' | sort -u >&2 || cat artifacts/build.log >&2
        echo "$project does not build (artifacts/build.log)" >&2
        exit 1
    fi
done
