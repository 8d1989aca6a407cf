#!/usr/bin/env bash
# Builds artifacts/native/libssl_torch.so over the machine's libtorch; does nothing when it is newer than its sources and
# was built for the same libtorch. CMAKE_PREFIX_PATH (environment) names another libtorch than the system's.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
out="$(cd "$here/../../.." && pwd)/artifacts/native"
mkdir -p "$out"

for tool in cmake g++; do
    command -v "$tool" > /dev/null || { echo "error: $tool is missing; install it (Debian: apt-get install cmake g++ libtorch-dev)" >&2; exit 1; }
done

# Without a libtorch of the system's, and none named, that of Python's torch is taken.
if [[ -z "${CMAKE_PREFIX_PATH:-}" ]] && ! compgen -G '/usr/lib/*/libtorch_cpu.so' > /dev/null; then
    CMAKE_PREFIX_PATH="$(python3 -c 'import torch; print(torch.utils.cmake_prefix_path)' 2> /dev/null || true)"
fi

# One build at a time: several projects may ask for the library at once.
exec 9> "$out/.lock"
flock 9

torch="${CMAKE_PREFIX_PATH:-system} $(stat -L -c '%n %s %Y' /usr/lib/*/libtorch_cpu.so 2> /dev/null || true)"
stamp="$out/libssl_torch.stamp"
library="$out/libssl_torch.so"
if [[ -f "$library" && -f "$stamp" && "$(cat "$stamp")" == "$torch" && "$library" -nt "$here/ssl_torch.cpp" && "$library" -nt "$here/CMakeLists.txt" ]]; then
    exit 0
fi

build="$out/build"
rm -rf "$build"
cmake -S "$here" -B "$build" ${CMAKE_PREFIX_PATH:+-DCMAKE_PREFIX_PATH="$CMAKE_PREFIX_PATH"} > "$out/cmake.log" 2>&1 \
    && cmake --build "$build" > "$out/build.log" 2>&1 \
    || { echo "error: building libssl_torch.so failed:" >&2; tail -n 30 "$out/cmake.log" "$out/build.log" >&2 2> /dev/null; exit 1; }
mv "$build/libssl_torch.so" "$library"
printf '%s' "$torch" > "$stamp"
