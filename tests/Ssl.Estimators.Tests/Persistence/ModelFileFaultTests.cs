using System.Buffers.Binary;
using System.IO.Compression;
using System.Reflection;
using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Tests.Persistence;

/// <summary>What lies inside a model file, and what is said of one that is damaged, newer or of another form.</summary>
[TestClass]
public class ModelFileFaultTests
{
    private const string Entry = "TransformerChain/Transform_000/Model.ssl";

    [TestMethod]
    public void The_entry_is_the_archive_that_SaveEncoder_writes_and_is_stored()
    {
        using var model = TestEncoderModel.Create(40, rows: 300);
        using var expected = new MemoryStream();
        model.WriteArchive(expected);
        using var zip = new ZipArchive(new MemoryStream(Save(model)));
        var entry = zip.GetEntry(Entry)!;
        Assert.AreEqual(entry.Length, entry.CompressedLength);
        CollectionAssert.AreEqual(expected.ToArray(), Read(entry));
    }

    [TestMethod]
    public void Every_flipped_byte_of_the_archive_is_a_sentence()
    {
        using var model = TestEncoderModel.Create();
        var whole = Save(model);
        var archive = Archive(whole);
        var start = whole.AsSpan().IndexOf(archive);
        for (var at = 0; at < archive.Length; at += at < 600 ? 7 : 31)
        {
            var bytes = (byte[])whole.Clone();
            bytes[start + at] ^= 4;
            var fault = Assert.ThrowsExactly<FormatException>(() => Load(bytes), $"byte {at}");
            StringAssert.StartsWith(fault.Message, $"The model file cannot be read at its entry '{Entry}'. ", $"byte {at}");
            StringAssert.EndsWith(fault.Message.TrimEnd(')'), ".", $"byte {at}");
        }
    }

    [TestMethod]
    public void A_damaged_zip_gives_no_other_numbers()
    {
        using var model = TestEncoderModel.Create();
        var expected = ModelArchiveTests.Embed(model, "hello");
        var whole = Save(model);
        var random = new Random(5);
        for (var i = 0; i < 200; i++)
        {
            var bytes = (byte[])whole.Clone();
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                using var loaded = (TransformerChain<ITransformer>)Load(bytes);
                CollectionAssert.AreEqual(expected, ModelArchiveTests.Embed(((EncoderTransformer)loaded.Single()).Model, "hello"));
            }
            catch (Exception e) when (e is not UnitTestAssertException)
            {
                Assert.IsGreaterThan(10, e.Message.Length);
            }
        }
    }

    [TestMethod]
    public void A_cut_entry_and_a_missing_one_are_named()
    {
        using var model = TestEncoderModel.Create();
        var archive = Archive(Save(model));
        foreach (var length in (int[])[0, 5, 100, archive.Length / 2, archive.Length - 1])
            StringAssert.Contains(Fault(Save(model), archive[..length]), "truncated", $"length {length}");
        StringAssert.Contains(Fault(Save(model), [.. archive, 0]), "goes on after its last tensor");
        StringAssert.Contains(Fault(Save(model), null), $"'{Entry}'. The entry is missing: the file is damaged.");
    }

    [TestMethod]
    public void A_file_of_a_later_version_is_refused_by_that_version()
    {
        using var model = TestEncoderModel.Create();
        var archive = Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(Archive(Save(model)))
            .Replace("\"ssl.format_version\":\"2\"", "\"ssl.format_version\":\"7\"", StringComparison.Ordinal));
        Checksums.Seal(archive.AsSpan(8, (int)BinaryPrimitives.ReadInt64LittleEndian(archive)));
        StringAssert.Contains(Fault(Save(model), archive), $"was written by version {ModelArchive.ProductVersion} in format 7; "
            + $"this version ({ModelArchive.ProductVersion}) reads formats up to {ModelArchive.FormatVersion}. Update the package.");
    }

    [TestMethod]
    public void A_cut_file_and_a_foreign_one_are_refused()
    {
        using var model = TestEncoderModel.Create();
        var bytes = Save(model);
        Assert.ThrowsExactly<FormatException>(() => Load(bytes[..(bytes.Length / 2)]));
        Assert.ThrowsExactly<FormatException>(() => Load([1, 2, 3]));
    }

    [TestMethod]
    public void A_file_of_the_first_form_is_refused_in_a_sentence()
    {
        var mlContext = TestDevice.Context();
        var data = mlContext.Data.LoadFromEnumerable([new Row()]);
        var stage = mlContext.Transforms.CustomMapping<FormerModelFiles.NoColumns, FormerModelFiles.KeyColumn>(static (_, _) => { },
            FormerModelFiles.Contract).Fit(data);
        using var stream = new MemoryStream();
        mlContext.Model.Save(new TransformerChain<ITransformer>(stage), data.Schema, stream);
        stream.Position = 0;
        var reading = TestDevice.Context();
        // Such a file names this assembly itself; the one that is made here names the tests.
        reading.ComponentCatalog.RegisterAssembly(typeof(FormerModelFiles).Assembly);
        var fault = Assert.Throws<Exception>(() => reading.Model.Load(stream, out _)).GetBaseException();
        Assert.IsInstanceOfType<NotSupportedException>(fault);
        StringAssert.Contains(fault.Message, "Fit the model again");
    }

    [TestMethod]
    public void A_member_that_MLNET_lacks_is_named_with_the_way_out()
    {
        var fault = Assert.ThrowsExactly<NotSupportedException>(() => ModelFiles.Reach(
            () => throw new MissingFieldException("Field not found: 'Microsoft.ML.ModelSaveContext.Repository'.")));
        StringAssert.StartsWith(fault.Message, "Microsoft.ML 5.");
        StringAssert.Contains(fault.Message,
            "Field not found: 'Microsoft.ML.ModelSaveContext.Repository'. Use the version of Microsoft.ML that");
    }

    private static byte[] Save(EncoderModel model)
    {
        var mlContext = TestDevice.Context();
        using var stream = new MemoryStream();
        mlContext.Model.Save(new TransformerChain<ITransformer>(new EncoderTransformer(mlContext, model)),
            mlContext.Data.LoadFromEnumerable([new Row()]).Schema, stream);
        return stream.ToArray();
    }

    // The exception itself: ML.NET calls a loader by reflection, a chain's parts from within the chain's.
    private static ITransformer Load(byte[] bytes)
    {
        try
        {
            return TestDevice.Context().Model.Load(new MemoryStream(bytes), out _);
        }
        catch (TargetInvocationException e)
        {
            Exception fault = e;
            while (fault is TargetInvocationException { InnerException: { } inner })
                fault = inner;
            throw fault;
        }
    }

    private static byte[] Archive(byte[] model)
    {
        using var zip = new ZipArchive(new MemoryStream(model));
        return Read(zip.GetEntry(Entry)!);
    }

    private static byte[] Read(ZipArchiveEntry entry)
    {
        using var content = entry.Open();
        using var bytes = new MemoryStream();
        content.CopyTo(bytes);
        return bytes.ToArray();
    }

    // What is said of the file with another archive in the place of its own, or none.
    private static string Fault(byte[] model, byte[]? archive)
    {
        using var stream = new MemoryStream();
        stream.Write(model);
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Update, leaveOpen: true))
        {
            zip.GetEntry(Entry)!.Delete();
            if (archive is not null)
            {
                using var content = zip.CreateEntry(Entry).Open();
                content.Write(archive);
            }
        }
        return Assert.ThrowsExactly<FormatException>(() => Load(stream.ToArray())).Message;
    }

    private sealed class Row
    {
        public string Text { get; set; } = "";
    }
}
