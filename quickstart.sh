#!/usr/bin/env bash
# Learns from the documentation of .NET without labels and shows what that bought:  ./quickstart.sh [--query "..."] [--data DIR] [--help]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. eng/env.sh
bash eng/dependencies.sh
. eng/env.sh
export SSL_COMMIT="${SSL_COMMIT:-$(git describe --always --dirty 2>/dev/null || echo unknown)}"
project=examples/quickstart
dotnet build "$project/Quickstart.csproj" -c Release --nologo -v quiet -clp:NoSummary < /dev/null
exec dotnet "$project/bin/Release/net10.0/quickstart.dll" "$@"
