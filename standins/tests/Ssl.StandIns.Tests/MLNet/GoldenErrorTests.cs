using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.StandIns.Tests.MLNet;

/// <summary>Types and messages of errors against the recorded facts.</summary>
[TestClass]
public sealed class GoldenErrorTests
{
    private readonly MLContext _context = new(42);

    private sealed class OnlyId
    {
        public int Id { get; set; }
    }

    private sealed class WithEmbedding
    {
        public int Id { get; set; }
        public float Embedding { get; set; }
    }

    private sealed class Empty
    {
    }

    private IDataView Ids => _context.Data.LoadFromEnumerable(new[] { new OnlyId { Id = 1 } });

    [TestMethod]
    public void MissingColumns()
    {
        var concatenate = _context.Transforms.Concatenate("F", "A", "B");
        Golden.CheckError("14.missing column: Concatenate.Fit", () => concatenate.Fit(Ids));
        Golden.CheckError("14.missing column: Concatenate transformer.Transform", () => concatenate.Fit(Ids).Transform(Ids));
        Golden.CheckError("14.missing column: CopyColumns.Fit", () => _context.Transforms.CopyColumns("O", "A").Fit(Ids));
        Golden.CheckError(
            "14.missing column: chain.Fit (Concatenate.Append(NormalizeMinMax))",
            () => concatenate.Append(_context.Transforms.CopyColumns("O", "F")).Fit(Ids));
        Golden.CheckError(
            "14.wrong type: Concatenate string+float",
            () => _context.Transforms.Concatenate("F", "Cat", "A").Fit(Row.Data(_context)));
        Golden.CheckError("14.schema indexer: Schema[\"zzz\"]", () => _ = Ids.Schema["zzz"]);
    }

    [TestMethod]
    public void Arguments()
    {
        Golden.CheckError("14.argument: Concatenate no inputs", () => _context.Transforms.Concatenate("F"));
        Golden.CheckError("14.argument: null output name", () => _context.Transforms.CopyColumns(null!, "A"));
        Golden.CheckError("14.argument: Fit(null)", () => _context.Transforms.CopyColumns("O", "A").Fit(null!));
        Golden.CheckError(
            "14.argument: Transform(null)",
            () => _context.Transforms.CopyColumns("O", "A").Fit(Row.Data(_context)).Transform(null!));
    }

    [TestMethod]
    public void Getters()
    {
        var data = Row.Data(_context);
        Golden.CheckError("14.GetColumn<int> on float column", () => _ = data.GetColumn<int>("A").ToArray());
        var copied = _context.Transforms.CopyColumns("O", "A").Fit(data).Transform(data);
        var selected = _context.Transforms.SelectColumns("A", "B").Fit(data).Transform(data);
        foreach (var view in new[] { data, copied, selected, _context.Data.Cache(data), _context.Data.ShuffleRows(data, 1) })
        {
            using var cursor = view.GetRowCursor([view.Schema["A"]]);
            cursor.MoveNext();
            Golden.CheckError("14.getter wrong TValue", () => cursor.GetGetter<double>(view.Schema["A"]));
            Golden.CheckError("14.getter inactive column", () => cursor.GetGetter<float>(view.Schema["B"]));
            Assert.IsTrue(cursor.IsColumnActive(view.Schema["A"]));
            Assert.IsFalse(cursor.IsColumnActive(view.Schema["B"]));
        }
    }

    [TestMethod]
    public void ObjectsAndEngines()
    {
        Golden.CheckError(
            "14.CreateEnumerable: property not in schema",
            () => _ = _context.Data.CreateEnumerable<WithEmbedding>(Ids, false).ToArray());
        Golden.CheckError(
            "14.CreateEnumerable: ignoreMissingColumns",
            () => _ = _context.Data.CreateEnumerable<WithEmbedding>(Ids, false, ignoreMissingColumns: true).ToArray());
        var model = _context.Transforms.CopyColumns("O", "A").Fit(Row.Data(_context));
        Golden.CheckError(
            "14.PredictionEngine: output property not in schema",
            () => _context.Model.CreatePredictionEngine<Row,
            WithEmbedding>(model).Predict(new Row()));
        Golden.CheckError(
            "14.PredictionEngine: input lacks a needed column",
            () => _context.Model.CreatePredictionEngine<OnlyId,
            Empty>(model));
    }

    [TestMethod]
    public void ModelFiles()
    {
        Golden.CheckError("14.Model.Load of a non-zip", () => _context.Model.Load(new MemoryStream(new byte[200]), out _));
        Golden.CheckError("14.Model.Load missing file", () => _context.Model.Load("/nonexistent.zip", out _));
        Golden.CheckError(
            "14.Model.Save of a third-party transformer that writes nothing",
            () => _context.Model.Save(new WritesNothing(), null, new MemoryStream()));
        var unnamed = _context.Transforms.CustomMapping<OnlyId, WithEmbedding>((from, to) => to.Embedding = from.Id, null).Fit(Ids);
        Golden.CheckError(
            "14.Model.Save of CustomMapping with null contract",
            () => _context.Model.Save(unnamed, null, new MemoryStream()));
    }

    private sealed class WritesNothing : ITransformer
    {
        public bool IsRowToRowMapper => false;
        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inputSchema;
        public IDataView Transform(IDataView input) => input;
        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new InvalidOperationException();

        public void Save(ModelSaveContext ctx)
        {
        }
    }
}
