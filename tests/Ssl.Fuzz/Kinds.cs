using System.Buffers.Binary;
using System.IO.Compression;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Microsoft.ML;
using Microsoft.ML.Data;
using NAudio.Wave;
using SkiaSharp;
using Ssl.Estimators;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tests.Pretrained;
using Ssl.MLNet;

namespace Ssl.Fuzz;

/// <summary>
/// Every kind of file that is read, from small models that are trained here in seconds. Of a model file of ML.NET only the entry is damaged that
/// is ours: a damaged Schema entry can keep ML.NET 5.0.1's own reader busy for ever.
/// </summary>
internal sealed class Kinds : IDisposable
{
    private const string Checkpoint = "checkpoint", Onnx = "ONNX file", Tokenizer = "tokenizer", Index = "index file", Image = "image ", Sound = "sound ";
    private const int ImageWidth = 24, ImageHeight = 20, MostPixels = 1 << 22;

    private static readonly Dictionary<string, Func<Kinds, ITransformer>> s_models = new()
    {
        ["encoder of a table"] = kinds => kinds.TrainTable(null),
        ["encoder of a table, features"] = kinds => kinds._ssl.Tabular.MaskedCells(new MaskedCellsTrainer.Options
        {
            InputColumnNames = ["Number", "Class"], Encoder = TabularEncoders.ColumnTransformer(1, 8, 2), BatchSize = 16, NumberOfEpochs = 1,
            MinimumNumberOfSteps = 0, Seed = 1,
        }).Fit(kinds._rows),
        ["encoder of texts"] = kinds => kinds._ssl.Text.SimCse(new SimCseTrainer.Options
        {
            Encoder = TextEncoders.Transformer(1, 8, 2), BatchSize = 16, NumberOfEpochs = 1, MinimumNumberOfSteps = 0, Seed = 1,
        }).Fit(kinds._rows),
        ["encoder of series"] = kinds => kinds._ssl.TimeSeries.Ts2Vec(new Ts2VecTrainer.Options
        {
            Encoder = TimeSeriesEncoders.DilatedConvolution(8, 8, 2), BatchSize = 16, NumberOfEpochs = 1, MinimumNumberOfSteps = 0, Seed = 1,
        }).Fit(kinds._rows),
        ["encoder of sounds"] = kinds => kinds._ssl.TimeSeries.Ts2Vec(new Ts2VecTrainer.Options
        {
            Spectrogram = new LogMelSpectrogram(1_000, numberOfBands: 4, windowLength: 8, hopLength: 1), Encoder = TimeSeriesEncoders.DilatedConvolution(8, 8, 2),
            BatchSize = 16, NumberOfEpochs = 1, MinimumNumberOfSteps = 0, Seed = 1,
        }).Fit(kinds._rows),
        ["encoder of sounds, convolutions"] = kinds => kinds._ssl.Audio.Wav2Vec2(new Wav2Vec2Trainer.Options
        {
            InputColumnName = "Series", Encoder = TimeSeriesEncoders.SoundTransformer(8, 4, 1, 1, 2), NumberOfChannels = 1, BatchSize = 16, NumberOfEpochs = 1,
            MinimumNumberOfSteps = 0, Seed = 1,
        }).Fit(kinds._rows),
        ["loader of sounds"] = kinds => kinds._ssl.Audio.LoadSounds("Features", inputColumnName: "NoPath").Fit(kinds._rows),
        ["encoder of images"] = kinds => kinds._ssl.Images.MaskedAutoencoder(new MaskedAutoencoderTrainer.Options
        {
            Encoder = ImageEncoders.VisionTransformer(8, 4, 1, 1, 16, 2), BatchSize = 16, NumberOfEpochs = 1, MinimumNumberOfSteps = 0, Seed = 1,
        }).Fit(kinds._rows),
        ["encoder of images, convolutions"] = kinds => kinds._ssl.Images.SimClr(new SimClrTrainer.Options
        {
            Encoder = ImageEncoders.SmallConvNet(8, 1), BatchSize = 16, NumberOfEpochs = 1, MinimumNumberOfSteps = 0, Seed = 1,
        }).Fit(kinds._rows),
        ["encoder of images with texts"] = kinds => kinds._ssl.ImageText.Clip(new ClipTrainer.Options
        {
            TextColumnName = "Text", ImageEncoder = ImageEncoders.SmallConvNet(8, 1, numberOfStages: 2, width: 4), TextEncoder = TextEncoders.Bag(8, 8, 8),
            BatchSize = 16, NumberOfEpochs = 1, MinimumNumberOfSteps = 0, Seed = 1,
        }).Fit(kinds._rows),
        ["fine-tuned encoder"] = kinds =>
        {
            using var encoder = kinds.TrainTable(null);
            return kinds._ssl.FineTune.MulticlassClassification(encoder, numberOfEpochs: 1).Fit(kinds._rows);
        },
        ["finder of entities"] = kinds =>
        {
            using var encoder = kinds.TrainTexts();
            return kinds._ssl.FineTune.NamedEntities(encoder, labelColumnName: "WordLabel", numberOfEpochs: 1).Fit(kinds._rows);
        },
        ["answers to questions"] = kinds =>
        {
            using var encoder = kinds.TrainTexts();
            return kinds._ssl.FineTune.QuestionAnswering(encoder, "Class", "Text", "Animal", answerIndexColumnName: null, numberOfEpochs: 1).Fit(kinds._rows);
        },
        ["neighbors"] = kinds => kinds._ssl.NearestNeighbors(inputColumnName: "Vector", numberOfNeighbors: 3).Fit(kinds._rows),
        ["vote of neighbors"] = kinds => kinds._ssl.NearestNeighborsMulticlassClassification(featureColumnName: "Vector").Fit(kinds._rows),
        ["anomalies by Mahalanobis"] = kinds => kinds._ssl.AnomalyScore("Vector", AnomalyMethod.Mahalanobis).Fit(kinds._rows),
        ["anomalies by neighbors"] = kinds => kinds._ssl.AnomalyScore("Vector", AnomalyMethod.NeighborDistance).Fit(kinds._rows),
        ["whitening"] = kinds => kinds._ssl.Whiten("Features", "Vector").Fit(kinds._rows),
        ["few labels"] = kinds => kinds._ssl.FewLabels.MulticlassClassification(featureColumnName: "Vector").Fit(kinds._rows),
    };

    // The files of folders of other programs, by the folder that has them.
    private static readonly (string Folder, string File)[] s_pretrainedFiles =
    [
        ("bert", "config.json"), ("bert", "vocab.txt"), ("bert", "model.safetensors"), ("bert", "modules.json"), ("bert", "sentence_bert_config.json"),
        ("unigrams", "tokenizer.json"), ("byte pairs", "vocab.json"), ("byte pairs", "merges.txt"), ("vision", "config.json"), ("vision", "model.safetensors"),
    ];

    private static readonly string[] s_imageTypes = ["jpg", "png", "webp", "bmp"];

    private static readonly string[] s_soundTypes = ["wav", "mp3", "ogg"];

    private readonly string _folder = Directory.CreateTempSubdirectory("ssl-fuzz-").FullName;
    private readonly MLContext _mlContext = new(1);
    private readonly SelfSupervisedCatalog _ssl;
    private readonly IDataView _rows, _photos;

    public Kinds()
    {
        _ssl = _mlContext.SelfSupervised();
        var random = new Random(3);
        var rows = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 64).Select(i => new Row
        {
            Number = i % 7 - 3,
            Class = $"class {i % 4}",
            Text = $"the cat {i} sat on mat {i % 5}",
            Animal = "cat",
            Words = ["O", "B-ANIMAL", "O", "O", "O", "B-THING", "I-THING"],
            Series = [.. Enumerable.Range(0, 16).Select(t => MathF.Sin(t * (i % 5 + 1)))],
            Vector = [.. Enumerable.Range(0, 4).Select(_ => random.NextSingle() + i % 4)],
            Image = [.. Enumerable.Range(0, 64).Select(_ => (byte)random.Next(256))],
        }).ToArray());
        _photos = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 4).Select(i => new Photo
        {
            Image = [.. Enumerable.Range(0, 3 * SmallImageNetwork.Side * SmallImageNetwork.Side).Select(_ => (byte)random.Next(256))],
        }).ToArray());
        _rows = _mlContext.Transforms.Conversion.MapValueToKey("Label", "Class")
            .Append(_mlContext.Transforms.Conversion.MapValueToKey("WordLabel", "Words")).Fit(rows).Transform(rows);
    }

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. s_models.Keys, Checkpoint, Onnx, Tokenizer, Index, .. s_pretrainedFiles.Select(PretrainedName), .. s_imageTypes.Select(type => Image + type),
            .. s_soundTypes.Select(type => Sound + type)];

    /// <summary>A kind of file.</summary>
    public FileKind Make(string name)
    {
        if (s_models.TryGetValue(name, out var train))
            return Archive(name, ModelFile(train(this)));
        if (name.StartsWith(Image, StringComparison.Ordinal))
            return MakeImage(name, name[Image.Length..]);
        if (name.StartsWith(Sound, StringComparison.Ordinal))
            return MakeSound(name, name[Sound.Length..]);
        return name == Onnx ? MakeOnnx() : name == Tokenizer ? MakeTokenizer() : name == Index ? MakeIndex() : name == Checkpoint ? MakeCheckpoint() : MakePretrained(s_pretrainedFiles.Single(file => PretrainedName(file) == name));
    }

    private EncoderTransformer TrainTexts() => _ssl.Text.MaskedLanguageModel(new MaskedLanguageModelTrainer.Options
    {
        Encoder = TextEncoders.Transformer(1, 8, 1, maximumTokens: 20), NumberOfEpochs = 0, VocabularySize = 100, MinimumTokenCount = 1, Seed = 1,
    }).Fit(_rows);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string PretrainedName((string Folder, string File) file) => $"{file.Folder} {file.File}";

    // The entry of a model file, which is all that SaveEncoder writes.
    private FileKind Archive(string name, byte[] file)
    {
        const string Entry = "Model.ssl";
        using var zip = new ZipArchive(new MemoryStream(file));
        using var content = new MemoryStream();
        using (var entry = zip.Entries.Single(entry => entry.Name == Entry).Open())
            entry.CopyTo(content);
        return new FileKind(name, content.ToArray(), bytes => Load(Replaced(bytes)), [typeof(FormatException)], HasChecksums: true);

        byte[] Replaced(byte[] bytes)
        {
            using var source = new ZipArchive(new MemoryStream(file));
            using var result = new MemoryStream();
            using (var target = new ZipArchive(result, ZipArchiveMode.Create, leaveOpen: true))
            {
                foreach (var entry in source.Entries)
                {
                    using var to = target.CreateEntry(entry.FullName, CompressionLevel.NoCompression).Open();
                    if (entry.Name == Entry)
                    {
                        to.Write(bytes);
                        continue;
                    }
                    using var from = entry.Open();
                    from.CopyTo(to);
                }
            }
            return result.ToArray();
        }
    }

    private FileKind MakeCheckpoint()
    {
        string whole = Path.Combine(_folder, "whole.checkpoint"), damaged = Path.Combine(_folder, "damaged.checkpoint");
        TrainTable(whole).Dispose();
        return new FileKind(Checkpoint, File.ReadAllBytes(whole), bytes =>
        {
            File.WriteAllBytes(damaged, bytes);
            using var encoder = TrainTable(damaged);
            return Numbers(encoder.Transform(_rows));
        }, [typeof(InvalidOperationException)], HasChecksums: true);
    }

    private FileKind MakePretrained((string Folder, string File) file)
    {
        var folder = Path.Combine(_folder, file.Folder);
        WritePretrained(file.Folder, folder);
        var path = Path.Combine(folder, file.File);
        return new FileKind(PretrainedName(file), File.ReadAllBytes(path), bytes =>
        {
            File.WriteAllBytes(path, bytes);
            using var encoder = _ssl.LoadPretrained(folder);
            var rows = file.Folder == "vision" ? _photos : _rows;
            return Numbers(encoder.Transform(rows), rows);
        }, [typeof(FormatException), typeof(NotSupportedException), typeof(FileNotFoundException)], HasChecksums: false);
    }

    private FileKind MakeOnnx() => new(Onnx, new OnnxWriter(SmallImageNetwork.ResNet(isBottleneck: false), folds: false).ResNet().ToByteArray(), bytes =>
    {
        using var encoder = _ssl.LoadPretrained(new MemoryStream(bytes), new PretrainedOptions { ImageSize = SmallImageNetwork.Side });
        return Numbers(encoder.Transform(_photos), _photos);
    }, [typeof(FormatException), typeof(NotSupportedException)], HasChecksums: false);

    private FileKind MakeTokenizer()
    {
        string[] texts = [.. _rows.GetColumn<string>("Text")];
        using var whole = new MemoryStream();
        WordPieceTokenizer.Train(texts, new WordPieceTokenizer.Options { VocabularySize = 60 }).Save(whole);
        return new FileKind(Tokenizer, whole.ToArray(), bytes =>
        {
            var tokenizer = WordPieceTokenizer.Load(new MemoryStream(bytes));
            return [.. texts.Select(text => Array.ConvertAll(tokenizer.Encode(text, 32), id => (float)id))];
        }, [typeof(FormatException)], HasChecksums: false);
    }

    // With cells, rows that came later, and removed ones.
    private FileKind MakeIndex()
    {
        string whole = Path.Combine(_folder, "whole.index"), damaged = Path.Combine(_folder, "damaged.index");
        var random = new Random(1);
        float[][] vectors = [.. Enumerable.Range(0, 4_200).Select(_ => new[] { random.NextSingle(), random.NextSingle() - 1 })];
        using (var index = _ssl.CreateNeighborIndex<string>(whole, 2, NeighborSearch.Approximate, numberOfCells: 4))
        {
            index.Replace([], vectors.Select((vector, i) => ($"row {i}", vector)));
            index.Compact();
            index.Upsert("later", [1, -1]);
            index.Remove(["row 7", "row 8"]);
        }
        return new FileKind(Index, File.ReadAllBytes(whole), bytes =>
        {
            File.WriteAllBytes(damaged, bytes);
            using var index = _ssl.OpenNeighborIndex<string>(damaged, readOnly: true);
            index.Verify();
            return [.. vectors[..5].Select(vector => index.Search(vector, numberOfProbes: 2).Select(found => found.Score + found.Id.Length).ToArray())];
        }, [typeof(FormatException)], HasChecksums: true);
    }

    // As LoadImages and an encoder read it.
    private FileKind MakeImage(string name, string type)
    {
        var path = Path.Combine(_folder, $"photo.{type}");
        File.WriteAllBytes(path, type == "bmp" ? Bitmap() : Encoded(path));
        var whole = File.ReadAllBytes(path);
        var paths = _mlContext.Data.LoadFromEnumerable(Enumerable.Repeat(new PhotoFile { ImagePath = path }, 2).ToArray());
        var photos = _mlContext.Transforms.LoadImages("Photo", _folder, nameof(PhotoFile.ImagePath)).Fit(paths).Transform(paths);
        var encoder = _ssl.Images.SimClr(new SimClrTrainer.Options
        {
            InputColumnName = "Photo", Encoder = ImageEncoders.SmallConvNet(8), NumberOfEpochs = 0, Seed = 1,
        }).Fit(photos);
        return new FileKind(name, whole, bytes =>
        {
            File.WriteAllBytes(path, bytes);
            // At lengths beyond two gigabytes the decoder of ML.NET ends the process, and for a stated size LoadImages takes the memory, both before
            // anything of ours sees the file.
            if (type == "bmp" && StatesHugeLength(bytes))
                throw new UnreadableImageException("It states lengths that are not tried here.");
            using (var codec = SKCodec.Create(path))
            {
                if (codec is { Info: { } info } && (long)info.Width * info.Height > MostPixels)
                    throw new UnreadableImageException("It states more pixels than are tried here.");
            }
            return Numbers(encoder.Transform(photos), photos);
        }, [typeof(UnreadableImageException)], HasChecksums: false);
    }

    // As LoadSounds reads it.
    private FileKind MakeSound(string name, string type)
    {
        var path = Path.Combine(_folder, $"tones.{type}");
        if (type == "wav")
        {
            using var wave = new WaveFileWriter(path, new WaveFormat(8_000, 16, 2));
            foreach (var t in Enumerable.Range(0, 800))
                wave.WriteSample(MathF.Sin(t * 0.3f));
        }
        else
        {
            File.Copy(Path.Combine(AppContext.BaseDirectory, "data", "sounds", $"tones.{type}"), path);
        }
        var whole = File.ReadAllBytes(path);
        var paths = _mlContext.Data.LoadFromEnumerable(new[] { new SoundPath { File = path } });
        var sounds = _ssl.Audio.LoadSounds("Sound", inputColumnName: nameof(SoundPath.File), sampleRate: 8_000).Fit(paths).Transform(paths);
        return new FileKind(name, whole, bytes =>
        {
            File.WriteAllBytes(path, bytes);
            return [.. sounds.GetColumn<float[]>("Sound")];
        }, [typeof(FormatException)], HasChecksums: false);
    }

    // Where the pixels begin, and how long the second header is; SkiaSharp 2.88.9 skips or reads as far and throws into native code.
    private static bool StatesHugeLength(byte[] bytes)
        => bytes.Length >= 18 && bytes.AsSpan().StartsWith("BM"u8) && (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(10)) > int.MaxValue
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(14)) > int.MaxValue);

    private static byte[] Encoded(string path)
    {
        using var image = MLImage.CreateFromPixels(ImageWidth, ImageHeight, MLPixelFormat.Bgra32, Pixels());
        image.Save(path);
        return File.ReadAllBytes(path);
    }

    // The codec of ML.NET reads bitmaps and does not write them: a header of 54 bytes, then blue, green, red and nothing from the lowest line up.
    private static byte[] Bitmap()
    {
        var pixels = Pixels();
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("BM"u8);
        foreach (var value in (int[])[54 + pixels.Length, 0, 54, 40, ImageWidth, ImageHeight, 1 | 32 << 16, 0, pixels.Length, 0, 0, 0, 0])
            writer.Write(value);
        writer.Write(pixels);
        return stream.ToArray();
    }

    private static byte[] Pixels()
    {
        var pixels = new byte[4 * ImageWidth * ImageHeight];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = i % 4 == 3 ? byte.MaxValue : (byte)(i / 4 % ImageWidth * 10 + i / 4 / ImageWidth * (i % 4));
        return pixels;
    }

    private static void WritePretrained(string kind, string folder)
    {
        switch (kind)
        {
            case "bert":
                new SmallNetwork("bert", SmallNetwork.BertTokens).Write(folder);
                SmallNetwork.WriteModules(folder, "mean", normalize: true, maximum: 40);
                return;
            case "vision":
                SmallImageNetwork.Transformer().Write(folder);
                File.WriteAllText(Path.Combine(folder, "config.json"), "{\"architecture\": \"vit\", \"model_args\": {\"num_heads\": 2}}");
                return;
        }
        string[] pieces = kind == "unigrams" ? ["\u2581the", "\u2581cat", "s", "\u2581", "a"] : [.. "abcdefghijklmnopqrstuvwxyz0123456789\u0120".Select(c => $"{c}"), "th", "the"];
        string[] tokens = ["<s>", "<pad>", "</s>", "<unk>", .. pieces, "<mask>"];
        new SmallNetwork("roberta", tokens).Write(folder);
        File.Delete(Path.Combine(folder, "vocab.txt"));
        if (kind == "unigrams")
        {
            File.WriteAllText(Path.Combine(folder, "tokenizer.json"), new JsonObject
            {
                ["added_tokens"] = new JsonArray(new JsonObject { ["id"] = tokens.Length - 1, ["content"] = "<mask>", ["lstrip"] = true }),
                ["pre_tokenizer"] = new JsonObject
                {
                    ["type"] = "Sequence", ["pretokenizers"] = new JsonArray(new JsonObject { ["type"] = "WhitespaceSplit" }, new JsonObject { ["type"] = "Metaspace" }),
                },
                ["model"] = new JsonObject
                {
                    ["type"] = "Unigram", ["unk_id"] = 3, ["vocab"] = new JsonArray([.. tokens[..^1].Select((token, i) => new JsonArray(token, -i))]),
                },
            }.ToJsonString());
            return;
        }
        File.WriteAllText(Path.Combine(folder, "vocab.json"), new JsonObject(tokens.Select((token, i) => KeyValuePair.Create(token, (JsonNode?)i))).ToJsonString());
        File.WriteAllLines(Path.Combine(folder, "merges.txt"), ["#version: 0.2", "t h", "th e"]);
    }

    private EncoderTransformer TrainTable(string? checkpoint) => _ssl.Tabular.Scarf(new ScarfTrainer.Options
    {
        InputColumnNames = ["Number", "Class"],
        Encoder = TabularEncoders.Mlp(numberOfLayers: 2, dimension: 8),
        BatchSize = 16,
        NumberOfEpochs = 2,
        MinimumNumberOfSteps = 0,
        CheckpointPath = checkpoint,
        Seed = 1,
    }).Fit(_rows);

    private byte[] ModelFile(ITransformer model)
    {
        using var stream = new MemoryStream();
        _mlContext.Model.Save(model, _rows.Schema, stream);
        (model as IDisposable)?.Dispose();
        return stream.ToArray();
    }

    private float[][] Load(byte[] file)
    {
        ITransformer model;
        try
        {
            model = _mlContext.Model.Load(new MemoryStream(file), out _);
        }
        catch (TargetInvocationException fault) when (fault.InnerException is { } reason)
        {
            ExceptionDispatchInfo.Throw(reason);        // ML.NET calls what loads a transformer by reflection
            throw;
        }
        try
        {
            return Numbers(model.Transform(_rows));
        }
        catch (ArgumentOutOfRangeException fault) when (fault.ParamName == "inputSchema")
        {
            throw new FormatException("As a model of other columns: " + fault.Message.Replace(" (Parameter 'inputSchema')", ".", StringComparison.Ordinal));
        }
        finally
        {
            (model as IDisposable)?.Dispose();
        }
    }

    // Of all columns that a model adds.
    private float[][] Numbers(IDataView view, IDataView? rows = null) => [.. view.Schema.Skip((rows ?? _rows).Schema.Count).SelectMany(column => column.Type switch
    {
        NumberDataViewType type when type == NumberDataViewType.Single => [[.. view.GetColumn<float>(column)]],
        VectorDataViewType { ItemType: var item } when item == NumberDataViewType.Single => view.GetColumn<float[]>(column),
        _ => Array.Empty<float[]>(),
    })];

    private sealed class PhotoFile
    {
        public string ImagePath { get; set; } = "";
    }

    private sealed class Photo
    {
        [VectorType(3, SmallImageNetwork.Side, SmallImageNetwork.Side)]
        public byte[] Image { get; set; } = [];
    }

    private sealed class SoundPath
    {
        public string File { get; set; } = "";
    }

    private sealed class Row
    {
        public float Number { get; set; }

        public string Class { get; set; } = "";

        public string Text { get; set; } = "";

        public string Animal { get; set; } = "";

        public string NoPath { get; set; } = "";

        public string[] Words { get; set; } = [];

        [VectorType(16)]
        public float[] Series { get; set; } = [];

        [VectorType(4)]
        public float[] Vector { get; set; } = [];

        [VectorType(1, 8, 8)]
        public byte[] Image { get; set; } = [];
    }
}
