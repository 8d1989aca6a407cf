#!/usr/bin/env bash
# Measures:  bench/run.sh CASE [--quick] [--peers DIR]      bench/run.sh --list
# A case prints a table and writes artifacts/bench/CASE.json. --quick is a smaller form that shows that the case works.
# --peers DIR is where the Python programs are that some cases compare with (default ../shared/peers).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Threads that sleep while they wait: busy waiting makes small operations far slower as soon as something else runs on the machine.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"

if [ -z "${SSL_DATA:-}" ] && [ -d ../shared/data ]; then export SSL_DATA="$(cd ../shared/data && pwd)"; fi
if [ -z "${SSL_PEERS:-}" ] && [ -d ../shared/peers ]; then export SSL_PEERS="$(cd ../shared/peers && pwd)"; fi
export SSL_COMMIT="${SSL_COMMIT:-$(git describe --always --dirty 2>/dev/null || echo unknown)}"

dotnet build bench/Ssl.Bench/Ssl.Bench.csproj -c Release --nologo -v quiet
exec dotnet bench/Ssl.Bench/bin/Release/net10.0/Ssl.Bench.dll "$@"
