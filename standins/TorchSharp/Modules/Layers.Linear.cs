using TorchSharp.Modules;
using TorchSharp.Native;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchSharp
{
    public static unsafe partial class torch
    {
        public static partial class nn
        {
            public static Parameter Parameter(Tensor data, bool requires_grad = true) => new(data, requires_grad);

            public static Linear Linear(long inputSize, long outputSize, bool hasBias = true, Device? device = null,
                ScalarType? dtype = null) =>
                new(inputSize, outputSize, hasBias, device, dtype);

            public static Embedding Embedding(
                long num_embeddings, long embedding_dims, long? padding_idx = null, double? max_norm = null, double norm_type = 2,
                bool scale_grad_by_freq = false, bool sparse = false, Device? device = null, ScalarType? dtype = null)
            {
                var weight = randn([num_embeddings, embedding_dims], dtype, device);
                if (padding_idx is { } padding)
                {
                    using var row = weight[padding < 0 ? padding + num_embeddings : padding];
                    row.zero_();
                }
                return new(new Parameter(weight), padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse);
            }

            public static Embedding Embedding_from_pretrained(
                Tensor embeddings, bool freeze = true, long? padding_idx = null, double? max_norm = null, double norm_type = 2,
                bool scale_grad_by_freq = false, bool sparse = false, Device? device = null, ScalarType? dtype = null) =>
                new(Pretrained(embeddings, freeze, device, dtype), padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse);

            public static EmbeddingBag EmbeddingBag(
                long num_embeddings, long embedding_dims, double? max_norm = null, double norm_type = 2, bool scale_grad_by_freq = false,
                EmbeddingBagMode mode = EmbeddingBagMode.Mean, bool sparse = false, bool include_last_offset = false,
                long padding_index = -1,
                Device? device = null, ScalarType? dtype = null)
            {
                var weight = randn([num_embeddings, embedding_dims], dtype, device);
                if (padding_index >= 0)
                {
                    using var row = weight[padding_index];
                    row.zero_();
                }
                return new(new Parameter(weight), max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset,
                    padding_index);
            }

            public static EmbeddingBag EmbeddingBag_from_pretrained(
                Tensor embeddings, bool freeze = true, double? max_norm = null, double norm_type = 2, bool scale_grad_by_freq = false,
                EmbeddingBagMode mode = EmbeddingBagMode.Mean, bool sparse = false, bool include_last_offset = false,
                long padding_index = -1,
                Device? device = null, ScalarType? dtype = null) =>
                new(Pretrained(embeddings, freeze, device, dtype), max_norm, norm_type, scale_grad_by_freq, mode, sparse,
                    include_last_offset, padding_index);

            private static Parameter Pretrained(Tensor embeddings, bool freeze, Device? device, ScalarType? dtype)
            {
                using var detached = embeddings.detach();
                return new Parameter(detached.to(dtype ?? embeddings.dtype, device ?? embeddings.device, copy: true), !freeze);
            }
        }
    }
}

namespace TorchSharp.Modules
{
    public sealed class Linear : nn.Module<Tensor, Tensor>
    {
        [ComponentName(Name = "weight")] private Parameter _weight;
        [ComponentName(Name = "bias")] private Parameter? _bias;

        internal Linear(long inputs, long outputs, bool hasBias, Device? device, ScalarType? dtype) : base(nameof(Linear))
        {
            _weight = new Parameter(empty([outputs, inputs], dtype, device));
            nn.init.kaiming_uniform_(_weight, Math.Sqrt(5));
            if (hasBias)
            {
                _bias = new Parameter(empty([outputs], dtype, device));
                var bound = inputs > 0 ? 1 / Math.Sqrt(inputs) : 0;
                nn.init.uniform_(_bias, -bound, bound);
            }
            RegisterComponents();
        }

        public Parameter weight
        {
            get => _weight;
            set
            {
                _weight = value;
                ConditionallyRegisterParameter(nameof(weight), value);
            }
        }

        public Parameter? bias
        {
            get => _bias;
            set
            {
                _bias = value;
                ConditionallyRegisterParameter(nameof(bias), value);
            }
        }

        public override Tensor forward(Tensor tensor) => Ops.linear.Call(tensor, _weight, _bias);
    }

    public sealed class Embedding : nn.Module<Tensor, Tensor>
    {
        private readonly long _padding;
        private readonly double? _maxNorm;
        private readonly double _normType;
        private readonly bool _scale;
        private readonly bool _sparse;
        [ComponentName(Name = "weight")] private Parameter _weight;

        internal Embedding(Parameter weight, long? padding, double? maxNorm, double normType, bool scale, bool sparse)
            : base(nameof(Embedding))
        {
            _weight = weight;
            _padding = padding is { } index ? (index < 0 ? index + weight.shape[0] : index) : -1;
            (_maxNorm, _normType, _scale, _sparse) = (maxNorm, normType, scale, sparse);
            RegisterComponents();
        }

        public Parameter weight
        {
            get => _weight;
            set
            {
                _weight = value;
                ConditionallyRegisterParameter(nameof(weight), value);
            }
        }

        public override Tensor forward(Tensor input)
        {
            if (_maxNorm is { } limit)
            {
                using var _ = no_grad();
                Ops.embedding_renorm_.Run(_weight, input, limit, _normType);
            }
            return Ops.embedding.Call(_weight, input, _padding, _scale, _sparse);
        }
    }

    public sealed class EmbeddingBag : nn.Module<Tensor, Tensor?, Tensor?, Tensor>
    {
        private readonly double? _maxNorm;
        private readonly double _normType;
        private readonly bool _scale;
        private readonly EmbeddingBagMode _mode;
        private readonly bool _sparse;
        private readonly bool _lastOffset;
        private readonly long _padding;
        [ComponentName(Name = "weight")] private Parameter _weight;

        internal EmbeddingBag(
            Parameter weight, double? maxNorm, double normType, bool scale, EmbeddingBagMode mode, bool sparse, bool lastOffset,
            long padding)
            : base(nameof(EmbeddingBag))
        {
            _weight = weight;
            (_maxNorm, _normType, _scale, _mode, _sparse, _lastOffset, _padding) = (maxNorm, normType, scale, mode, sparse, lastOffset,
                padding);
            RegisterComponents();
        }

        public Parameter weight
        {
            get => _weight;
            set
            {
                _weight = value;
                ConditionallyRegisterParameter(nameof(weight), value);
            }
        }

        public Tensor call(Tensor input) => call(input, null, null);

        public Tensor call(Tensor input, Tensor offsets) => call(input, offsets, null);

        /// <summary>Bags of indices: [bags, size] without offsets, or one row with the place where each bag begins.</summary>
        public override Tensor forward(Tensor input, Tensor? offsets, Tensor? perSampleWeights)
        {
            using var scope = NewDisposeScope();
            var indices = input;
            if (input.Dimensions == 2)
            {
                if (offsets is not null)
                {
                    throw new ArgumentException("If input is 2D, then offsets has to be null, as input is treated as a mini-batch "
                        + "of fixed length sequences.");
                }
                var (bags, size) = (input.size(0), input.size(1));
                offsets = arange(0, bags * size, size, input.dtype, input.device);
                indices = input.reshape(-1);
                perSampleWeights = perSampleWeights?.reshape(-1);
            }
            else if (input.Dimensions != 1)
            {
                throw new ArgumentException($"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.Dimensions}");
            }
            if (_maxNorm is { } limit)
            {
                using var _ = no_grad();
                Ops.embedding_renorm_.Run(_weight, indices, limit, _normType);
            }
            var result = Ops.embedding_bag_padding_idx.CallList(
                _weight, indices, offsets, _scale, (long)_mode, _sparse, perSampleWeights, _lastOffset,
                _padding < 0 ? (long?)null : _padding);
            return result[0].MoveToOuterDisposeScope();
        }
    }
}
