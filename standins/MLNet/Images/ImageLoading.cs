using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.Data
{
    /// <summary>Loads images from the files that a column names.</summary>
    [LoadableTransformer(Signature)]
    public sealed class ImageLoadingTransformer : OneToOneTransformerBase
    {
        public readonly string ImageFolder;
        private const string Signature = "ImageLoaderTransform";

        internal ImageLoadingTransformer(IHostEnvironment env, string imageFolder, params (string Output, string Input)[] columns)
            : base(env.Register(nameof(ImageLoadingTransformer)), columns) => ImageFolder = imageFolder;

        internal static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx)
        {
            var folder = ctx.Reader.ReadString();
            return new ImageLoadingTransformer(env, folder.Length == 0 ? null : folder, ReadColumns(ctx));
        }

        private protected override void SaveModel(ModelSaveContext ctx)
        {
            ctx.SetSignature(Signature);
            ctx.Writer.Write(ImageFolder ?? "");
            WriteColumns(ctx);
        }

        private protected override void CheckInputColumn(DataViewSchema inputSchema, int pair, DataViewSchema.Column source)
        {
            if (source.Type is not TextDataViewType)
            {
                throw Host.ExceptSchemaMismatch("inputSchema", "input", source.Name, "String", source.Type.ToString());
            }
        }

        private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

        private sealed class Mapper(ImageLoadingTransformer parent, DataViewSchema schema) : OneToOneMapper(parent, schema)
        {
            public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer)
            {
                MLImage last = null;
                disposer = () => last?.Dispose();
                var source = input.GetGetter<ReadOnlyMemory<char>>(Source(output));
                ReadOnlyMemory<char> name = default;
                return (ValueGetter<MLImage>)((ref MLImage destination) =>
                {
                    destination?.Dispose();
                    destination = null;
                    source(ref name);
                    if (name.Length == 0)
                    {
                        return;
                    }

                    var path = name.ToString();
                    if (!string.IsNullOrWhiteSpace(parent.ImageFolder))
                    {
                        path = Path.Combine(parent.ImageFolder, path);
                    }

                    using var bytes = new MemoryStream(File.ReadAllBytes(path));
                    destination = MLImage.CreateFromStream(bytes);
                    destination.Tag = path;
                    last = destination;
                });
            }

            protected override DataViewSchema.DetachedColumn OutputColumn(int pair, DataViewSchema.Column source) =>
                new(OutputName(pair), new ImageDataViewType());
        }
    }

    /// <summary>The estimator of <see cref="ImageLoadingTransformer"/>.</summary>
    public sealed class ImageLoadingEstimator : TrivialEstimator<ImageLoadingTransformer>
    {
        internal ImageLoadingEstimator(IHostEnvironment env, string imageFolder, params (string Output, string Input)[] columns)
            : base(env.Register(nameof(ImageLoadingEstimator)), new ImageLoadingTransformer(env, imageFolder, columns))
        {
        }

        public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            Host.CheckValue(inputSchema, nameof(inputSchema));
            return inputSchema.With([.. Transformer.Columns.Select(pair =>
            {
                var column = Host.FindColumn(inputSchema, pair.Input);
                return column.ItemType is TextDataViewType && column.Kind == SchemaShape.Column.VectorKind.Scalar
                    ? new SchemaShape.Column(pair.Output, SchemaShape.Column.VectorKind.Scalar, new ImageDataViewType(), false)
                    : throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", pair.Input, "String", column.GetTypeString());
            })]);
        }
    }
}

namespace Microsoft.ML
{
    /// <summary>Images.</summary>
    public static class ImageEstimatorsCatalog
    {
        public static ImageLoadingEstimator LoadImages(
            this TransformsCatalog catalog,
            string outputColumnName,
            string imageFolder,
            string inputColumnName = null) =>
            new(catalog.Environment, imageFolder, (outputColumnName, inputColumnName ?? outputColumnName));
    }
}
