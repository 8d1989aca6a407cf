#!/usr/bin/env bash
# Learns from the documentation of .NET without labels and shows what that bought:  ./quickstart.sh [--query "..."] [--data DIR] [--help]
# Paths are relative to where you call it from.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$root/eng/env.sh"
bash "$root/eng/dependencies.sh"
. "$root/eng/env.sh"
export SSL_COMMIT="${SSL_COMMIT:-$(git -C "$root" describe --always --dirty 2>/dev/null || echo unknown)}"
project="$root/examples/quickstart"
bash "$root/eng/build.sh" examples/quickstart/Quickstart.csproj
exec dotnet "$project/bin/Release/net10.0/quickstart.dll" --output "$root/artifacts/quickstart" "$@"
