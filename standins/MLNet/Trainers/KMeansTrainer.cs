using Microsoft.ML.Data;
using Microsoft.ML.Numeric;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace Microsoft.ML.Trainers
{
    /// <summary>The centroids of clusters; scores are squared distances.</summary>
    public sealed class KMeansModelParameters : ModelParametersBase<VBuffer<float>>, IScoringModel
    {
        internal const string Name = "KMeansPredictor";

        private readonly int _clusters;
        private readonly float[] _centroids;
        private readonly float[] _norms;

        internal KMeansModelParameters(int clusters, float[] centroids)
        {
            (_clusters, _centroids) = (clusters, centroids);
            _norms = [.. Enumerable.Range(0, clusters).Select(i => FloatMath.Dot(Centroid(i), Centroid(i)))];
        }

        int IScoringModel.ScoreCount => _clusters;
        string IScoringModel.Signature => Name;

        public void GetClusterCentroids(ref VBuffer<float>[] centroids, out int k)
        {
            k = _clusters;
            if (centroids == null || centroids.Length < k)
            {
                Array.Resize(ref centroids, k);
            }

            var size = _centroids.Length / k;
            for (var i = 0; i < k; i++)
            {
                VBuffer<float>.Copy(_centroids, i * size, ref centroids[i], size);
            }
        }

        void IScoringModel.Score(in VBuffer<float> features, Span<float> scores)
        {
            var norm = FloatMath.Dot(features.GetValues(), features.GetValues());
            for (var i = 0; i < _clusters; i++)
            {
                scores[i] = Math.Max(norm + _norms[i] - (2 * ModelReader.Dot(Centroid(i), features)), 0);
            }
        }

        void IScoringModel.Write(BinaryWriter writer)
        {
            writer.Write(_clusters);
            ModelReader.WriteFloats(writer, _centroids);
        }

        private ReadOnlySpan<float> Centroid(int cluster)
        {
            var size = _centroids.Length / _clusters;
            return _centroids.AsSpan(cluster * size, size);
        }
    }

    /// <summary>
    /// Lloyd's k-means from a k-means++ start (Arthur and Vassilvitskii, 2007). The real trainer starts from k-means|| by default:
    /// centroids may differ from its in order, and where the data has several optima.
    /// </summary>
    public class KMeansTrainer : TrainerEstimatorBase<ClusteringPredictionTransformer<KMeansModelParameters>, KMeansModelParameters>
    {
        private readonly Options _options;

        internal KMeansTrainer(IHostEnvironment env, Options options)
            : base(env.Register("KMeansPlusPlus"), options.FeatureColumnName, default, options.ExampleWeightColumnName)
        {
            Host.CheckUserArg(options.NumberOfClusters > 0, nameof(options.NumberOfClusters), "Must be positive");
            Host.CheckUserArg(options.MaximumNumberOfIterations > 0, nameof(options.MaximumNumberOfIterations), "Must be positive");
            Host.CheckUserArg(options.OptimizationTolerance > 0, nameof(options.OptimizationTolerance), "Tolerance must be positive");
            Host.CheckUserArg(options.AccelerationMemoryBudgetMb > 0, nameof(options.AccelerationMemoryBudgetMb), "Must be positive");
            Host.CheckUserArg(
                options.NumberOfThreads is null or > 0, nameof(options.NumberOfThreads), "Must be either null or a positive integer.");
            _options = options;
            Info = new TrainerInfo(needNormalization: true, wantCaching: true);
        }

        /// <summary>How the first centroids are found.</summary>
        public enum InitializationAlgorithm
        {
            KMeansPlusPlus = 0,
            Random = 1,
            KMeansYinyang = 2,
        }

        public override TrainerInfo Info { get; }

        private protected override KMeansModelParameters TrainModel(
            TrainingRows rows, DataViewType labelType, object initial, IChannel channel)
        {
            Host.Check(rows.Count >= _options.NumberOfClusters, "Failed to initialize clusters: too few examples");
            var clusters = new Clusters(rows, _options.NumberOfClusters, _options.NumberOfThreads);
            if (_options.InitializationAlgorithm == InitializationAlgorithm.Random)
            {
                clusters.StartRandomly(Host.Rand);
            }
            else
            {
                clusters.StartSpread(Host.Rand, Host);
            }

            var last = double.PositiveInfinity;
            for (var iteration = 0; iteration < _options.MaximumNumberOfIterations; iteration++)
            {
                var score = clusters.Assign();
                clusters.MoveCentroids();
                if (last - score <= _options.OptimizationTolerance)
                {
                    break;
                }

                last = score;
            }

            return new KMeansModelParameters(_options.NumberOfClusters, clusters.Centroids);
        }

        private protected override ClusteringPredictionTransformer<KMeansModelParameters> MakeTransformer(
            KMeansModelParameters model, DataViewType featureType, DataViewSchema label) =>
                new(Host, model, FeatureColumn.Name, featureType, label);

        private protected override SchemaShape.Column[] OutputColumns(SchemaShape inputSchema) =>
        [
            new("Score", SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, false, new SchemaShape(TrainerAnnotations())),
            ScalarOutput("PredictedLabel", NumberDataViewType.UInt32, isKey: true),
        ];

        public sealed class Options : UnsupervisedTrainerInputBaseWithWeight
        {
            public int NumberOfClusters = 5;
            public InitializationAlgorithm InitializationAlgorithm = InitializationAlgorithm.KMeansYinyang;
            public float OptimizationTolerance = 1e-7f;
            public int MaximumNumberOfIterations = 1000;
            public int AccelerationMemoryBudgetMb = 4 * 1024;
            public int? NumberOfThreads;

            public Options()
            {
            }
        }

        private sealed class Clusters
        {
            private readonly TrainingRows _rows;
            private readonly int _count;
            private readonly int _size;
            private readonly ParallelOptions _parallel;
            private readonly float[] _norms;
            private readonly int[] _assigned;
            private readonly float[] _distances;

            public Clusters(TrainingRows rows, int count, int? threads)
            {
                (_rows, _count, _size) = (rows, count, rows.FeatureCount);
                _parallel = new ParallelOptions { MaxDegreeOfParallelism = threads ?? -1 };
                Centroids = new float[count * _size];
                _norms = new float[rows.Count];
                for (var i = 0; i < _norms.Length; i++)
                {
                    var values = rows.IsDense ? rows.Row(i) : rows.SparseValues(i);
                    _norms[i] = FloatMath.Dot(values, values);
                }

                _assigned = new int[rows.Count];
                _distances = new float[rows.Count];
            }

            public float[] Centroids { get; }

            public void StartRandomly(Random random)
            {
                // Reservoir sampling: each row has the same chance.
                for (var row = 0; row < _rows.Count; row++)
                {
                    var place = row < _count ? row : random.Next(row + 1);
                    if (place < _count)
                    {
                        SetCentroid(place, row);
                    }
                }
            }

            public void StartSpread(Random random, IHost host)
            {
                Array.Fill(_distances, 1);
                for (var cluster = 0; cluster < _count; cluster++)
                {
                    var total = 0d;
                    var candidate = -1;
                    for (var row = 0; row < _rows.Count; row++)
                    {
                        var weight = _distances[row] * _rows.Weight(row);
                        if (weight > 0)
                        {
                            total += weight;
                            if (weight > 1e-15f && random.NextSingle() < weight / total)
                            {
                                candidate = row;
                            }
                        }
                    }

                    host.Check(candidate >= 0,
                        $"Not enough distinct instances to populate {_count} clusters (only found {cluster} distinct instances)");
                    SetCentroid(cluster, candidate);
                    var norm = FloatMath.Dot(Centroid(cluster), Centroid(cluster));
                    for (var row = 0; row < _rows.Count; row++)
                    {
                        var distance = _norms[row] + norm - (2 * Dot(cluster, row));
                        _distances[row] = cluster == 0 ? distance : Math.Min(_distances[row], distance);
                    }
                }
            }

            /// <summary>Finds the nearest centroid of each row; returns the mean distance.</summary>
            public double Assign()
            {
                var norms = Enumerable.Range(0, _count).Select(i => FloatMath.Dot(Centroid(i), Centroid(i))).ToArray();
                Parallel.For(0, _rows.Count, _parallel, row =>
                {
                    var (best, nearest) = (0, float.PositiveInfinity);
                    for (var i = 0; i < _count; i++)
                    {
                        var distance = norms[i] - (2 * Dot(i, row));
                        if (distance < nearest)
                        {
                            (best, nearest) = (i, distance);
                        }
                    }

                    (_assigned[row], _distances[row]) = (best, Math.Max(nearest + _norms[row], 0));
                });
                var (sum, weights) = (0d, 0d);
                for (var row = 0; row < _rows.Count; row++)
                {
                    sum += _distances[row] * (double)_rows.Weight(row);
                    weights += _rows.Weight(row);
                }

                return sum / weights;
            }

            public void MoveCentroids()
            {
                var sums = new double[Centroids.Length];
                var weights = new double[_count];
                for (var row = 0; row < _rows.Count; row++)
                {
                    var weight = _rows.Weight(row);
                    var start = _assigned[row] * _size;
                    weights[_assigned[row]] += weight;
                    if (_rows.IsDense)
                    {
                        var values = _rows.Row(row);
                        for (var i = 0; i < values.Length; i++)
                        {
                            sums[start + i] += weight * values[i];
                        }
                    }
                    else
                    {
                        var values = _rows.SparseValues(row);
                        var indices = _rows.SparseIndices(row);
                        for (var i = 0; i < values.Length; i++)
                        {
                            sums[start + indices[i]] += weight * values[i];
                        }
                    }
                }

                for (var i = 0; i < Centroids.Length; i++)
                {
                    // An empty cluster stays where it is.
                    if (weights[i / _size] > 0)
                    {
                        Centroids[i] = (float)(sums[i] / weights[i / _size]);
                    }
                }
            }

            private Span<float> Centroid(int cluster) => Centroids.AsSpan(cluster * _size, _size);

            private float Dot(int cluster, int row)
            {
                var centroid = Centroid(cluster);
                if (_rows.IsDense)
                {
                    return FloatMath.Dot(centroid, _rows.Row(row));
                }

                var values = _rows.SparseValues(row);
                var indices = _rows.SparseIndices(row);
                var sum = 0f;
                for (var i = 0; i < values.Length; i++)
                {
                    sum += centroid[indices[i]] * values[i];
                }

                return sum;
            }

            private void SetCentroid(int cluster, int row)
            {
                var centroid = Centroid(cluster);
                if (_rows.IsDense)
                {
                    _rows.Row(row).CopyTo(centroid);
                    return;
                }

                centroid.Clear();
                var values = _rows.SparseValues(row);
                var indices = _rows.SparseIndices(row);
                for (var i = 0; i < values.Length; i++)
                {
                    centroid[indices[i]] = values[i];
                }
            }
        }
    }
}

namespace Microsoft.ML
{
    /// <summary>Clustering trainers.</summary>
    public static class KMeansClusteringExtensions
    {
        public static KMeansTrainer KMeans(
            this ClusteringCatalog.ClusteringTrainers catalog,
            string featureColumnName = "Features",
            string exampleWeightColumnName = null,
            int numberOfClusters = 5)
        {
            Contracts.CheckValue(null, catalog, nameof(catalog));
            return new KMeansTrainer(catalog.Environment, new KMeansTrainer.Options
            {
                FeatureColumnName = featureColumnName,
                ExampleWeightColumnName = exampleWeightColumnName,
                NumberOfClusters = numberOfClusters,
            });
        }

        public static KMeansTrainer KMeans(this ClusteringCatalog.ClusteringTrainers catalog, KMeansTrainer.Options options)
        {
            Contracts.CheckValue(null, catalog, nameof(catalog));
            Contracts.CheckValue(null, options, nameof(options));
            return new KMeansTrainer(catalog.Environment, options);
        }
    }
}
