#!/usr/bin/env bash
# The native prerequisites of the TorchSharp stand-in (Debian, Ubuntu): checks each, installs what is missing where it may
# (as root or with a sudo that asks no password), else prints the command. Then builds the native library.
# CMAKE_PREFIX_PATH=DIR (for instance what Python's torch.utils.cmake_prefix_path says) takes another libtorch than Debian's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. eng/env.sh

fail() { printf 'native: %s\n' "$*" >&2; exit 1; }

missing=()
reasons=()
need() { missing+=("$1"); reasons+=("  $1: $2"); }

if ! command -v cmake >/dev/null; then need cmake "configures the build of the native library"; fi
if ! command -v make >/dev/null; then need make "runs that build"; fi
if ! command -v g++ >/dev/null; then need g++ "compiles the native library"; fi
if [ -z "${CMAKE_PREFIX_PATH:-}" ]; then
    if ! ls /usr/include/torch/csrc/api/include/torch/torch.h /usr/include/torch/script.h >/dev/null 2>&1 && [ ! -d /usr/include/torch ]; then
        need libtorch-dev "the tensor library itself"
    fi
fi
openblas=""
find_openblas() {
    local folder
    for folder in /usr/lib/*-linux-gnu/openblas-openmp; do
        if [ -e "$folder/libblas.so.3" ] && [ -e "$folder/liblapack.so.3" ]; then openblas="$folder"; fi
    done
}
find_openblas
if [ -z "$openblas" ]; then need libopenblas0-openmp "fast matrix products (the reference BLAS is about 25 times slower)"; fi

administrator=()
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then administrator=(sudo -n); else administrator=(false); fi
fi

if [ "${#missing[@]}" != 0 ]; then
    printf 'native: missing on this machine:\n' >&2
    printf '%s\n' "${reasons[@]}" >&2
    command="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    command -v apt-get >/dev/null || fail "only Debian and Ubuntu are known here. Install the equivalents of: ${missing[*]}"
    if [ "${administrator[*]:-}" = false ]; then fail "no right to install them. Run this, then try again:  sudo sh -c '$command'"; fi
    echo "native: installing ${missing[*]} ..." >&2
    mkdir -p artifacts
    if ! { "${administrator[@]}" apt-get -q update &&
           "${administrator[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"; } \
            > artifacts/apt.log 2>&1 < /dev/null; then
        tail -15 artifacts/apt.log >&2
        fail "the installation failed (above; artifacts/apt.log). By hand:  $command"
    fi
    find_openblas
fi

# The pthread build of OpenBLAS and the reference one are other choices for the same file: ours must be the chosen one.
# Where it cannot be selected, eng/env.sh puts it first on LD_LIBRARY_PATH for our processes.
if [ -n "$openblas" ]; then
    triplet="$(basename "$(dirname "$openblas")")"
    for library in libblas.so.3 liblapack.so.3; do
        if [ "$(readlink -f "/usr/lib/$triplet/$library")" = "$(readlink -f "$openblas/$library")" ]; then continue; fi
        if "${administrator[@]}" update-alternatives --set "$library-$triplet" "$openblas/$library" >/dev/null 2>&1; then
            echo "native: selected $openblas/$library (update-alternatives)." >&2
        else
            echo "native: $library is not the OpenMP build of OpenBLAS; the scripts put $openblas on LD_LIBRARY_PATH. To select it for all:  sudo update-alternatives --set $library-$triplet $openblas/$library" >&2
        fi
    done
fi

bash standins/TorchSharp/native/build.sh
