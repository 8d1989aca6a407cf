using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.StandIns.Tests.MLNet;

/// <summary>How far an annotation travels whose text memory is owned by an object, and that it stays the very object.</summary>
[TestClass]
public sealed class AnnotationTests
{
    private const string Kind = "Owner";
    private readonly MLContext _context = new(42);
    private readonly OwnedText _owner = new();

    private sealed class OwnedText : MemoryManager<char>
    {
        private readonly char[] _text = [.. "id-1"];
        public override Span<char> GetSpan() => _text;
        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }

    private sealed class Plain
    {
        public float X { get; set; }
        public float Y { get; set; }

        [VectorType(2)]
        public float[]? V { get; set; }
    }

    private IDataView Annotated()
    {
        var definition = SchemaDefinition.Create(typeof(Plain));
        definition["V"].AddAnnotation<ReadOnlyMemory<char>>(Kind, _owner.Memory, TextDataViewType.Instance);
        return _context.Data.LoadFromEnumerable(
            Enumerable.Range(0, 40).Select(i => new Plain { X = i, Y = -i, V = [i, 1] }).ToArray(),
            definition);
    }

    private bool IsOwned(DataViewSchema schema, string column)
    {
        var annotations = schema[column].Annotations;
        if (annotations.Schema.GetColumnOrNull(Kind) == null)
        {
            return false;
        }

        ReadOnlyMemory<char> value = default;
        annotations.GetValue(Kind, ref value);
        return MemoryMarshal.TryGetMemoryManager<char, OwnedText>(value, out var owner) && ReferenceEquals(owner, _owner);
    }

    [TestMethod]
    public void BuildersKeepTheMemory()
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.AddPrimitiveValue(Kind, TextDataViewType.Instance, (ReadOnlyMemory<char>)_owner.Memory);
        var builder = new DataViewSchema.Builder();
        builder.AddColumn("V", NumberDataViewType.Single, annotations.ToAnnotations());
        Assert.IsTrue(IsOwned(builder.ToSchema(), "V"));
        var second = new DataViewSchema.Annotations.Builder();
        second.Add(annotations.ToAnnotations(), kind => kind == Kind);
        builder.AddColumn("W", NumberDataViewType.Single, second.ToAnnotations());
        Assert.IsTrue(IsOwned(builder.ToSchema(), "W"));
    }

    [TestMethod]
    public void TravelsThroughViews()
    {
        var data = Annotated();
        Assert.IsTrue(IsOwned(data.Schema, "V"));
        Assert.IsTrue(IsOwned(_context.Data.Cache(data).Schema, "V"));
        Assert.IsTrue(IsOwned(_context.Data.ShuffleRows(data, 1).Schema, "V"));
        Assert.IsTrue(IsOwned(_context.Data.TakeRows(data, 3).Schema, "V"));
        Assert.IsTrue(IsOwned(_context.Data.FilterRowsByColumn(data, "X", 1, 5).Schema, "V"));
        Assert.IsTrue(IsOwned(_context.Data.FilterByCustomPredicate<Plain>(data, row => row.X > 5).Schema, "V"));
        var split = _context.Data.TrainTestSplit(data, 0.3);
        Assert.IsTrue(IsOwned(split.TrainSet.Schema, "V"));
        Assert.IsTrue(IsOwned(split.TestSet.Schema, "V"));
        Assert.IsTrue(IsOwned(_context.Data.CrossValidationSplit(data, 3)[1].TrainSet.Schema, "V"));
        var objects = _context.Data.CreateEnumerable<Plain>(data, reuseRowObject: false);
        Assert.IsTrue(IsOwned(_context.Data.LoadFromEnumerable(objects, data.Schema).Schema, "V"));
        Assert.IsFalse(IsOwned(_context.Data.LoadFromEnumerable(objects).Schema, "V"));
    }

    [TestMethod]
    public void TravelsThroughTransforms()
    {
        var data = Annotated();
        Assert.IsTrue(IsOwned(_context.Transforms.CopyColumns("W", "V").Fit(data).Transform(data).Schema, "W"));
        Assert.IsTrue(IsOwned(_context.Transforms.SelectColumns("V").Fit(data).Transform(data).Schema, "V"));
        Assert.IsTrue(IsOwned(_context.Transforms.DropColumns("X").Fit(data).Transform(data).Schema, "V"));
        var join = _context.Transforms.Concatenate("F", "V", "X").Append(_context.Transforms.Concatenate("S", "V"));
        var joined = join.Fit(data).Transform(data);
        Assert.IsFalse(IsOwned(joined.Schema, "F"));
        Assert.IsTrue(IsOwned(joined.Schema, "S"));
        Assert.IsTrue(IsOwned(joined.Schema, "V"));
    }

    [TestMethod]
    public void EstimatorsOfAChainSeeIt()
    {
        var watch = new Watching(this);
        var chain = _context.Transforms.CopyColumns("W", "V").AppendCacheCheckpoint(_context)
            .Append(_context.Transforms.DropColumns("V"))
            .Append(watch);
        chain.Fit(Annotated());
        Assert.IsTrue(watch.InShape);
        Assert.IsTrue(watch.InData);
    }

    [TestMethod]
    public void MappingDonorsAnnounceAnnotationsInShapes()
    {
        var output = SchemaDefinition.Create(typeof(Plain));
        output.RemoveAll(column => column.ColumnName != "V");
        output["V"].AddAnnotation<ReadOnlyMemory<char>>(Kind, _owner.Memory, TextDataViewType.Instance);
        var donor = _context.Transforms.CustomMapping<Nothing, Plain>((_, _) => { }, null, outputSchemaDefinition: output);
        var column = donor.GetOutputSchema(new SchemaShape([])).Single();
        Assert.AreEqual(
            ("V", SchemaShape.Column.VectorKind.Vector, "Single", false),
            (column.Name, column.Kind, column.ItemType.ToString(), column.IsKey));
        Assert.AreEqual(Kind, column.Annotations.Single().Name);
    }

    private sealed class Nothing
    {
    }

    private sealed class Watching(AnnotationTests test) : IEstimator<ITransformer>
    {
        public bool InShape { get; private set; }
        public bool InData { get; private set; }

        public ITransformer Fit(IDataView input)
        {
            InData = test.IsOwned(input.Schema, "W");
            return test._context.Transforms.CopyColumns("Z", "W").Fit(input);
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            InShape = inputSchema.Single(column => column.Name == "W").Annotations.Any(annotation => annotation.Name == Kind);
            return inputSchema;
        }
    }
}
