using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.Numeric;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data
{
    /// <summary>A trained model as prediction transformers see it: features in, scores out, and how it is stored.</summary>
    internal interface IScoringModel
    {
        /// <summary>Number of scores; 1 also for models with a single number.</summary>
        int ScoreCount { get; }

        /// <summary>Names the reader in <see cref="ModelReader"/>.</summary>
        string Signature { get; }

        void Score(in VBuffer<float> features, Span<float> scores);
        void Write(BinaryWriter writer);
    }

    /// <summary>Reads what <see cref="IScoringModel.Write"/> wrote.</summary>
    internal static class ModelReader
    {
        public static object Read(IHostEnvironment env, string signature, BinaryReader reader) => signature switch
        {
            Trainers.MaximumEntropyModelParameters.Name =>
                new Trainers.MaximumEntropyModelParameters(reader.ReadInt32(), ReadFloats(reader)),
            Trainers.LinearBinaryModelParameters.Name => new Trainers.LinearBinaryModelParameters(reader.ReadSingle(), ReadFloats(reader)),
            Trainers.LinearRegressionModelParameters.Name =>
                new Trainers.LinearRegressionModelParameters(reader.ReadSingle(), ReadFloats(reader)),
            Trainers.KMeansModelParameters.Name => new Trainers.KMeansModelParameters(reader.ReadInt32(), ReadFloats(reader)),
            CalibratedModelParameters.Name => new CalibratedModelParameters(
                new Trainers.LinearBinaryModelParameters(reader.ReadSingle(), ReadFloats(reader)),
                new PlattCalibrator(reader.ReadDouble(), reader.ReadDouble())),
            _ => throw env.ExceptDecode($"Unknown model signature '{signature}'"),
        };

        public static void WriteFloats(BinaryWriter writer, float[] values)
        {
            writer.Write(values.Length);
            foreach (var value in values)
            {
                writer.Write(value);
            }
        }

        /// <summary>The dot product of a dense vector and a feature vector.</summary>
        public static float Dot(ReadOnlySpan<float> weights, in VBuffer<float> features)
        {
            var values = features.GetValues();
            if (features.IsDense)
            {
                return FloatMath.Dot(weights, values);
            }

            var indices = features.GetIndices();
            var sum = 0f;
            for (var i = 0; i < values.Length; i++)
            {
                sum += weights[indices[i]] * values[i];
            }

            return sum;
        }

        private static float[] ReadFloats(BinaryReader reader)
        {
            var values = new float[reader.ReadInt32()];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = reader.ReadSingle();
            }

            return values;
        }
    }
}

namespace Microsoft.ML.Trainers
{
    /// <summary>What a trainer learned.</summary>
    public abstract class ModelParametersBase<TOutput> : ICanSaveModel
    {
        private protected ModelParametersBase()
        {
        }

        void ICanSaveModel.Save(ModelSaveContext ctx)
        {
            var model = (IScoringModel)this;
            ctx.SetSignature(model.Signature);
            model.Write(ctx.Writer);
        }
    }

    /// <summary>Weights and bias of a linear model with one output.</summary>
    public abstract class LinearModelParameters : ModelParametersBase<float>, IScoringModel
    {
        private readonly float[] _weights;

        private protected LinearModelParameters(float bias, float[] weights)
        {
            Bias = bias;
            _weights = weights;
        }

        public IReadOnlyList<float> Weights => _weights;
        public float Bias { get; protected set; }

        int IScoringModel.ScoreCount => 1;
        string IScoringModel.Signature => Signature;

        private protected abstract string Signature { get; }

        void IScoringModel.Score(in VBuffer<float> features, Span<float> scores) => scores[0] = Bias + ModelReader.Dot(_weights, features);

        void IScoringModel.Write(BinaryWriter writer)
        {
            writer.Write(Bias);
            ModelReader.WriteFloats(writer, _weights);
        }
    }

    public sealed class LinearBinaryModelParameters : LinearModelParameters
    {
        internal const string Name = "Linear2CExec";

        internal LinearBinaryModelParameters(float bias, float[] weights)
            : base(bias, weights)
        {
        }

        private protected override string Signature => Name;
    }

    public abstract class RegressionModelParameters : LinearModelParameters
    {
        private protected RegressionModelParameters(float bias, float[] weights)
            : base(bias, weights)
        {
        }
    }

    public sealed class LinearRegressionModelParameters : RegressionModelParameters
    {
        internal const string Name = "LinearRegressionExec";

        internal LinearRegressionModelParameters(float bias, float[] weights)
            : base(bias, weights)
        {
        }

        private protected override string Signature => Name;
    }

    /// <summary>One linear model a class.</summary>
    public abstract class LinearMulticlassModelParametersBase : ModelParametersBase<VBuffer<float>>, IScoringModel
    {
        private readonly float[] _parameters;
        private readonly int _classes;

        // Biases first, then one row of weights a class.
        private protected LinearMulticlassModelParametersBase(int classes, float[] parameters) =>
            (_classes, _parameters) = (classes, parameters);

        int IScoringModel.ScoreCount => _classes;
        string IScoringModel.Signature => Signature;

        internal float[] Parameters => _parameters;
        private protected abstract string Signature { get; }

        private int FeatureCount => (_parameters.Length / _classes) - 1;

        public IEnumerable<float> GetBiases() => _parameters.Take(_classes);

        public void GetWeights(ref VBuffer<float>[] weights, out int numClasses)
        {
            numClasses = _classes;
            if (weights == null || weights.Length < _classes)
            {
                Array.Resize(ref weights, _classes);
            }

            for (var i = 0; i < _classes; i++)
            {
                VBuffer<float>.Copy(_parameters, _classes + (i * FeatureCount), ref weights[i], FeatureCount);
            }
        }

        void IScoringModel.Score(in VBuffer<float> features, Span<float> scores)
        {
            var size = FeatureCount;
            for (var i = 0; i < _classes; i++)
            {
                scores[i] = _parameters[i] + ModelReader.Dot(_parameters.AsSpan(_classes + (i * size), size), features);
            }

            Calibrate(scores);
        }

        void IScoringModel.Write(BinaryWriter writer)
        {
            writer.Write(_classes);
            ModelReader.WriteFloats(writer, _parameters);
        }

        private protected abstract void Calibrate(Span<float> scores);
    }

    /// <summary>The linear models of a softmax: scores are probabilities.</summary>
    public sealed class MaximumEntropyModelParameters : LinearMulticlassModelParametersBase
    {
        internal const string Name = "MulticlassLRExec";

        internal MaximumEntropyModelParameters(int classes, float[] parameters)
            : base(classes, parameters)
        {
        }

        private protected override string Signature => Name;

        private protected override void Calibrate(Span<float> scores)
        {
            var total = FloatMath.LogSumExp(scores);
            for (var i = 0; i < scores.Length; i++)
            {
                scores[i] = MathF.Exp(scores[i] - total);
            }
        }
    }
}

namespace Microsoft.ML.Calibrators
{
    using Microsoft.ML.Trainers;

    /// <summary>Makes probabilities of scores.</summary>
    public interface ICalibrator
    {
        float PredictProbability(float output);
    }

    /// <summary>1 / (1 + exp(Slope * score + Offset)).</summary>
    public sealed class PlattCalibrator : ICalibrator, ICanSaveModel
    {
        internal PlattCalibrator(double slope, double offset) => (Slope, Offset) = (slope, offset);

        public double Slope { get; }
        public double Offset { get; }

        public float PredictProbability(float output) =>
            float.IsNaN(output) ? output : (float)(1 / (1 + Math.Exp((Slope * output) + Offset)));

        void ICanSaveModel.Save(ModelSaveContext ctx)
        {
            ctx.SetSignature("PlattCaliExec");
            ctx.Writer.Write(Slope);
            ctx.Writer.Write(Offset);
        }
    }

    /// <summary>A model and what turns its scores into probabilities.</summary>
    public abstract class CalibratedModelParametersBase
    {
        private readonly object _subModel;
        private readonly ICalibrator _calibrator;

        private protected CalibratedModelParametersBase(object subModel, ICalibrator calibrator) =>
            (_subModel, _calibrator) = (subModel, calibrator);

        public object SubModel => _subModel;
        public ICalibrator Calibrator => _calibrator;
    }

    public abstract class CalibratedModelParametersBase<TSubModel, TCalibrator> : CalibratedModelParametersBase
        where TSubModel : class
        where TCalibrator : class, ICalibrator
    {
        private protected CalibratedModelParametersBase(TSubModel subModel, TCalibrator calibrator)
            : base(subModel, calibrator)
        {
        }

        public new TSubModel SubModel => (TSubModel)base.SubModel;
        public new TCalibrator Calibrator => (TCalibrator)base.Calibrator;
    }

    /// <summary>A logistic model.</summary>
    internal sealed class CalibratedModelParameters(LinearBinaryModelParameters model, PlattCalibrator calibrator)
        : CalibratedModelParametersBase<LinearBinaryModelParameters, PlattCalibrator>(model, calibrator), IScoringModel
    {
        internal const string Name = "CaliPredExec";

        public int ScoreCount => 1;
        public string Signature => Name;

        public void Score(in VBuffer<float> features, Span<float> scores) => ((IScoringModel)SubModel).Score(features, scores);

        public void Write(BinaryWriter writer)
        {
            ((IScoringModel)SubModel).Write(writer);
            writer.Write(Calibrator.Slope);
            writer.Write(Calibrator.Offset);
        }
    }
}
