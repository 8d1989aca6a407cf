#!/bin/bash
# The check on the GPU machine: suite, bench cases and parity on the libtorch of this machine's Python; see `run.sh --help` and docs/gpu.md.
# TORCH_LIB=folder of libtorch_cpu.so takes another libtorch; PYTHON=interpreter another Python.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"; python="${PYTHON:-python3}"
lib="${TORCH_LIB:-$("$python" -c 'import importlib.util as u, os; print(os.path.join(os.path.dirname(u.find_spec("torch").origin), "lib"))')}"
[ -e "$lib/libtorch_cpu.so" ] || { echo "no libtorch_cpu.so in $lib: set TORCH_LIB to the folder that holds it" >&2; exit 2; }
# libtorch_cuda.so finds NVIDIA's libraries by itself; what those open later (parts of cuDNN, nvrtc's built-ins) is found by this path.
nvidia="$(ls -d "$lib"/../../nvidia/*/lib 2>/dev/null | tr '\n' ':' || true)"
# The bench starts Python, which finds its own.
export SSL_SYSTEM_LIBRARY_PATH="${LD_LIBRARY_PATH:-}"
export LD_LIBRARY_PATH="$lib:$nvidia${LD_LIBRARY_PATH:-}"
# CUDA registers itself when libtorch_cuda.so is loaded: where libtorch.so does not name it, it is loaded first.
if [ -e "$lib/libtorch_cuda.so" ] && ! grep -q libtorch_cuda.so "$lib/libtorch.so"; then export SSL_PRELOAD="$lib/libtorch_cuda.so"; fi
# TorchSharp would otherwise copy libtorch together from a package folder.
export NUGET_PACKAGES=/nonexistent DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 OMP_WAIT_POLICY=passive
chmod +x "$here"/programs/Ssl.Contract.Images.Tests "$here"/programs/Ssl.Contract.Tests "$here"/programs/Ssl.Estimators.Tests "$here"/programs/Ssl.MLNet.Tests "$here"/programs/Ssl.Bench
exec "$python" "$here/check.py" "$@"
