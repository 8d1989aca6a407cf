using TorchSharp.Native;

namespace TorchSharp;

public static unsafe partial class torch
{
    /// <summary>Linear algebra; leading dimensions are batches.</summary>
    public static class linalg
    {
        public enum QRMode
        {
            Reduced = 0, Complete = 1, R = 2,
        }

        public static (Tensor U, Tensor S, Tensor Vh) svd(Tensor input, bool fullMatrices = true) =>
            Ops.linalg_svd.Call3(input, fullMatrices);

        public static Tensor svdvals(Tensor input) => Ops.linalg_svdvals.Call(input);

        public static (Tensor, Tensor) eigh(Tensor input, char UPLO = 'L') => Ops.linalg_eigh.Call2(input, UPLO.ToString());

        public static Tensor eigvalsh(Tensor input, char UPLO = 'L') => Ops.linalg_eigvalsh.Call(input, UPLO.ToString());

        public static (Tensor Q, Tensor R) qr(Tensor input, QRMode mode = QRMode.Reduced) =>
            Ops.linalg_qr.Call2(input, mode == QRMode.Reduced ? "reduced" : mode == QRMode.Complete ? "complete" : "r");

        public static Tensor cholesky(Tensor input) => Ops.linalg_cholesky.Call(input);

        public static Tensor inv(Tensor input) => Ops.linalg_inv.Call(input);

        public static Tensor det(Tensor input) => Ops.linalg_det.Call(input);

        public static Tensor solve(Tensor A, Tensor B, bool left = true) => Ops.linalg_solve.Call(A, B, left);

        public static Tensor vector_norm(Tensor input, double ord, long[]? dims = null, bool keepdim = false) =>
            Ops.linalg_vector_norm.Call(input, ord, dims, keepdim);

        public static Tensor norm(Tensor input, long[]? dims = null, bool keepdim = false) =>
            Ops.linalg_norm.Call(input, Arg.None, dims, keepdim);

        public static Tensor norm(Tensor input, double ord, long[]? dims = null, bool keepdim = false) =>
            Ops.linalg_norm.Call(input, ord, dims, keepdim);
    }
}
