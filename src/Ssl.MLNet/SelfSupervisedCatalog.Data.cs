using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Data;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>Readers of data files that ML.NET itself does not read.</summary>
    public sealed partial class DataReaders
    {
        private readonly MLContext _mlContext;

        internal DataReaders(MLContext mlContext) => _mlContext = mlContext;

        /// <summary>Reads images in the IDX form of MNIST and Fashion-MNIST, packed with gzip or not, into memory.</summary>
        /// <param name="imagesPath">The images: bytes, N x height x width or N x channels x height x width.</param>
        /// <param name="labelsPath">Their classes: N bytes; null for none.</param>
        /// <returns>
        /// Columns "Image", a vector of <see cref="byte"/> whose type says [channels, height, width], and "Label", the number of the class
        /// as <see cref="uint"/>, 0 without labels. <c>MapValueToKey("Label")</c> makes it what trainers want.
        /// </returns>
        /// <exception cref="FileNotFoundException">There is no such file.</exception>
        /// <exception cref="FormatException">A file is damaged, or the two do not fit together.</exception>
        public IDataView LoadIdx(string imagesPath, string? labelsPath = null)
        {
            ArgumentException.ThrowIfNullOrEmpty(imagesPath);
            return View(ImageFiles.ReadIdx(imagesPath, labelsPath));
        }

        /// <summary>Reads images in the binary form of CIFAR-10, packed with gzip or not, into memory.</summary>
        /// <param name="paths">One or more files: a byte of class, then 3 x 32 x 32 bytes, image after image.</param>
        /// <returns>Columns "Image", [3, 32, 32] bytes, and "Label", as <see cref="LoadIdx"/> gives them.</returns>
        /// <exception cref="FileNotFoundException">There is no such file.</exception>
        /// <exception cref="FormatException">A file is cut off or of another form.</exception>
        public IDataView LoadCifarBinary(params string[] paths)
        {
            ArgumentNullException.ThrowIfNull(paths);
            if (paths.Length == 0)
                throw new ArgumentException("Name at least one file.", nameof(paths));
            return View(ImageFiles.ReadCifar(paths, labelBytes: 1));
        }

        /// <summary>
        /// Reads the images of a folder, of any sizes, each decoded when its row is read; with the class of each where they lie in folders by class. Files
        /// that cannot be read are left out, counted and named in the log.
        /// </summary>
        /// <param name="folder">The folder: with images, with folders of images, or both.</param>
        /// <param name="includeSubfolders">Whether folders within it are read, too, however deep they lie.</param>
        /// <param name="includeLabel">Whether there is a column of labels, the names of the folders directly within the given one; null makes one where there
        /// are any.</param>
        /// <returns>
        /// Columns "Image", as <c>LoadImages</c> gives it; "Path", text; and where there are classes "Label", text, empty for an image beside the folders.
        /// The order is that of the paths. The view tells its classes and the files left out.
        /// </returns>
        /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
        /// <exception cref="InvalidOperationException">No image in it can be read; the message says what was found.</exception>
        /// <exception cref="ArgumentException">Labels are asked for, and the images lie in no folders.</exception>
        public ImageFolder LoadImageFolder(string folder, bool includeSubfolders = true, bool? includeLabel = null)
            => LoadImageFolder(folder, new ImageFolderOptions { IncludeSubfolders = includeSubfolders, IncludeLabel = includeLabel });

        /// <inheritdoc cref="LoadImageFolder(string, bool, bool?)" path="/*[not(self::param)]"/>
        /// <param name="folder">The folder: with images, with folders of images, or both.</param>
        /// <param name="options">All settings: endings, how closely files are looked at, and names of columns among them.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        /// <exception cref="OperationCanceledException">It was canceled.</exception>
        public ImageFolder LoadImageFolder(string folder, ImageFolderOptions options)
        {
            ArgumentException.ThrowIfNullOrEmpty(folder);
            ArgumentNullException.ThrowIfNull(options);
            return ImageFolder.Read(_mlContext, folder, options);
        }

        private IDataView View(ImageFile file)
        {
            var definition = SchemaDefinition.Create(typeof(LabeledImage));
            definition[nameof(LabeledImage.Image)].ColumnType =
                new VectorDataViewType(NumberDataViewType.Byte, file.Shape.Channels, file.Shape.Height, file.Shape.Width);
            return _mlContext.Data.LoadFromEnumerable(Rows(file), definition);
        }

        // Lazy: an image is copied when it is read.
        private static IEnumerable<LabeledImage> Rows(ImageFile file)
            => Enumerable.Range(0, file.Count).Select(i => new LabeledImage
            {
                Image = file.Pixels.AsSpan(i * file.Shape.Length, file.Shape.Length).ToArray(),
                Label = file.Labels is { } labels ? labels[i] : 0u,
            });

        private sealed class LabeledImage
        {
            [VectorType(1)]
            public byte[] Image { get; set; } = [];

            public uint Label { get; set; }
        }
    }
}
