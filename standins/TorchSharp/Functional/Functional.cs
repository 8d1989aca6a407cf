using TorchSharp.Native;

namespace TorchSharp;

public static unsafe partial class torch
{
    public static partial class nn
    {
        /// <summary>Layers and losses as functions.</summary>
        public static partial class functional
        {
            public static Tensor linear(Tensor input, Tensor weights, Tensor? bias = null) => Ops.linear.Call(input, weights, bias);

            public static Tensor relu(Tensor x, bool inplace = false) => inplace ? x.relu_().alias() : x.relu();

            public static Tensor gelu(Tensor x) => Ops.gelu.Call(x);

            public static Tensor silu(Tensor x, bool inplace = false) => inplace ? Ops.silu_.InPlace(x, x).alias() : Ops.silu.Call(x);

            public static Tensor sigmoid(Tensor x) => x.sigmoid();

            public static Tensor softplus(Tensor x, double beta = 1, double threshold = 20) => Ops.softplus.Call(x, beta, threshold);

            public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => input.softmax(dim, dtype);

            public static Tensor log_softmax(Tensor x, long dim) => x.log_softmax(dim);

            public static Tensor dropout(Tensor input, double p = 0.5, bool training = true, bool inplace = false) =>
                inplace ? Ops.dropout_.InPlace(input, input, p, training).alias() : Ops.dropout.Call(input, p, training);

            public static Tensor layer_norm(
                Tensor input, long[] normalized_shape, Tensor? weight = null, Tensor? bias = null, double eps = 1E-05) =>
                Ops.layer_norm.Call(input, normalized_shape, weight, bias, eps);

            public static Tensor group_norm(Tensor input, long num_groups, Tensor? weight = null, Tensor? bias = null,
                double eps = 1E-05) =>
                Ops.group_norm.Call(input, num_groups, weight, bias, eps);

            public static Tensor batch_norm(
                Tensor input, Tensor running_mean, Tensor running_var, Tensor? weight = null, Tensor? bias = null, bool training = false,
                double momentum = 0.1, double eps = 1E-05) =>
                Ops.batch_norm.Call(input, weight, bias, running_mean, running_var, training, momentum, eps, true);

            public static Tensor one_hot(Tensor x, long num_classes = -1) => Ops.one_hot.Call(x, num_classes);

            public static Tensor cosine_similarity(Tensor x1, Tensor x2, long dim = 1, double eps = 1E-08) =>
                Ops.cosine_similarity.Call(x1, x2, dim, eps);

            /// <summary>
            /// Attention in one step where the loaded libtorch has it fused, else composed of its products:
            /// queries [.., L, E], keys [.., S, E], values [.., S, V]; a Boolean mask is true where attention may go.
            /// </summary>
            public static Tensor scaled_dot_product_attention(
                Tensor query, Tensor key, Tensor value, Tensor? attn_mask = null, double p = 0, bool is_casual = false)
            {
                if (p < 0) throw new ArgumentException("Dropout probability must be greater than or equal to zero.");
                if (is_casual && attn_mask is not null)
                {
                    throw new ArgumentException("Casual attention mask cannot be specified along with another.");
                }
                if (Ops.scaled_dot_product_attention.Exists)
                {
                    return Ops.scaled_dot_product_attention.Call(query, key, value, attn_mask, p, is_casual);
                }
                using var scope = NewDisposeScope();
                var scale = Math.Pow(query.size(-1), -0.25);
                var scores = Ops.matmul.Call(query * scale, key.transpose(-2, -1) * scale);
                if (is_casual)
                {
                    attn_mask = ones([query.size(-2), key.size(-2)], ScalarType.Bool, query.device).tril();
                }
                if (attn_mask is not null)
                {
                    scores = attn_mask.dtype == ScalarType.Bool
                        ? Ops.masked_fill__Scalar.InPlace(scores, scores, attn_mask.logical_not(), double.NegativeInfinity)
                        : scores + attn_mask;
                }
                var weights = scores.softmax(-1);
                if (p > 0) weights = Ops.dropout.Call(weights, p, true);
                return Ops.matmul.Call(weights, value).MoveToOuterDisposeScope();
            }
        }
    }
}
