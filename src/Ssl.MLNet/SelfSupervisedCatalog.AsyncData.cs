using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.MLNet.Data;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    public sealed partial class DataReaders
    {
        internal const int DefaultReadAhead = 256;

        /// <summary>
        /// Rows of an asynchronous source, such as a database or a service, that is asked anew for every pass: ML.NET's trainers make several. Memory holds
        /// the rows read ahead.
        /// </summary>
        /// <remarks>
        /// The source runs on the thread pool, whatever context the caller has. A pass that ends early cancels the token that the source's enumerator gets
        /// (<c>[EnumeratorCancellation]</c>), and waits for its end, at most ten seconds. What the source throws comes out of the pass as it is. Each row
        /// must be an object of its own: several are in memory at once. Every pass must give the same rows in the same order, as everywhere in ML.NET.
        /// </remarks>
        /// <typeparam name="TRow">A class of rows, as <c>LoadFromEnumerable</c> takes it.</typeparam>
        /// <param name="source">Gives the rows from the first on; called on the thread pool, by several threads where several read at once.</param>
        /// <param name="schemaDefinition">Names and types of the columns; null takes those of the class.</param>
        /// <param name="readAhead">Rows that may lie ready at once. At least 1.</param>
        /// <param name="cancellationToken">Ends every pass with an <see cref="OperationCanceledException"/>.</param>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="readAhead"/> is less than 1.</exception>
        public IDataView LoadFromAsyncEnumerable<TRow>(Func<IAsyncEnumerable<TRow>> source, SchemaDefinition? schemaDefinition = null,
            int readAhead = DefaultReadAhead, CancellationToken cancellationToken = default) where TRow : class
        {
            ArgumentNullException.ThrowIfNull(source);
            return AsyncView<TRow>.Create(_mlContext, Rows(source, readAhead, cancellationToken), schemaDefinition);
        }

        /// <summary>
        /// Rows of an asynchronous source that can be read once, such as a stream of messages: each is kept in memory when the first pass comes to it, and
        /// later passes read it there. For more rows than memory holds give a function that starts anew, or write the rows to a file once
        /// (<c>mlContext.Data.SaveAsBinary</c>).
        /// </summary>
        /// <remarks>
        /// The source runs on the thread pool, is asked once, and no further than the rows read and those ahead. What it throws comes out of the pass as it
        /// is, of every pass. Each row must be an object of its own.
        /// </remarks>
        /// <typeparam name="TRow">A class of rows, as <c>LoadFromEnumerable</c> takes it.</typeparam>
        /// <param name="source">The rows; asked for its enumerator once.</param>
        /// <param name="schemaDefinition">Names and types of the columns; null takes those of the class.</param>
        /// <param name="readAhead">Rows that may lie ready at once. At least 1.</param>
        /// <param name="cancellationToken">Ends the source, and every pass that comes to its end there, with an
        /// <see cref="OperationCanceledException"/>.</param>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="readAhead"/> is less than 1.</exception>
        public IDataView LoadFromAsyncEnumerable<TRow>(IAsyncEnumerable<TRow> source, SchemaDefinition? schemaDefinition = null,
            int readAhead = DefaultReadAhead, CancellationToken cancellationToken = default) where TRow : class
        {
            ArgumentNullException.ThrowIfNull(source);
            return _mlContext.Data.LoadFromEnumerable(new KeptRows<TRow>(Rows(() => source, readAhead, cancellationToken)), schemaDefinition);
        }

        private static AsyncRows<TRow> Rows<TRow>(Func<IAsyncEnumerable<TRow>> source, int readAhead, CancellationToken cancellationToken)
        {
            new OptionFaults().AtLeast(readAhead, 1).ThrowIfAny();
            return new AsyncRows<TRow>(source, readAhead, cancellationToken);
        }
    }
}
