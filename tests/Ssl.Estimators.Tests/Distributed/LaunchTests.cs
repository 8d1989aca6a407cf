using Ssl.Estimators.Distributed;

namespace Ssl.Estimators.Tests.Distributed;

[TestClass]
public sealed class LaunchTests
{
    private static Launch Find(params (string Name, string Value)[] variables) => Launch.Find(name => variables.FirstOrDefault(v => v.Name == name).Value);

    [TestMethod]
    public void Without_a_launcher_there_is_one_process() => Assert.AreEqual(Launch.Alone, Find(("PATH", "/bin")));

    [TestMethod]
    public void Open_MPI_says_who_is_who()
        => Assert.AreEqual(new Launch(5, 8, 1, 4, true), Find(("OMPI_COMM_WORLD_RANK", "5"), ("OMPI_COMM_WORLD_SIZE", "8"),
            ("OMPI_COMM_WORLD_LOCAL_RANK", "1"), ("OMPI_COMM_WORLD_LOCAL_SIZE", "4")));

    [TestMethod]
    public void So_does_MPICH() => Assert.AreEqual(new Launch(1, 2, 1, 2, false),
        Find(("PMI_RANK", "1"), ("PMI_SIZE", "2"), ("MPI_LOCALRANKID", "1"), ("MPI_LOCALNRANKS", "2")));

    [TestMethod]
    public void And_Slurm()
    {
        Assert.AreEqual(new Launch(7, 12, 3, 4, true), Find(("SLURM_STEP_NUM_TASKS", "12"), ("SLURM_STEP_NODELIST", "n[1-3]"), ("SLURM_PROCID", "7"),
            ("SLURM_LOCALID", "3"), ("SLURM_STEP_TASKS_PER_NODE", "4(x3)"), ("PMIX_RANK", "7")));
        Assert.AreEqual(Launch.Alone, Find(("SLURM_NTASKS", "12"), ("SLURM_PROCID", "0")), "a program of a batch script, not of srun");
    }

    [TestMethod]
    public void Numbers_that_do_not_fit_are_named()
    {
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => Find(("PMI_RANK", "2"), ("PMI_SIZE", "2")));
        Assert.AreEqual("PMI_RANK is 2, but must be from 0 to less than PMI_SIZE, 2.", fault.Message);
        fault = Assert.ThrowsExactly<InvalidOperationException>(() => Find(("PMI_SIZE", "two")));
        StringAssert.Contains(fault.Message, "PMI_RANK must be a whole number, got ''");
    }

    [TestMethod]
    public void A_message_comes_as_it_went()
    {
        var message = new RankMessage(RankCall.Step) { Number = 1.25, Flag = true, Rows = 32, Lengths = [7, 0, 9], Text = "row 12 cannot be read: é" };
        var copy = RankMessage.From(message.ToBytes());
        CollectionAssert.AreEqual(message.Lengths, copy.Lengths);
        Assert.AreEqual(message with { Lengths = copy.Lengths }, copy);
        Assert.AreEqual(message.ToBytes().Length, new RankMessage(RankCall.Leave) { Text = new string('x', 5000) }.ToBytes().Length);
    }

    [TestMethod]
    public void Options_are_checked()
    {
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => ProcessGroup.Start(new ProcessGroupOptions { Timeout = TimeSpan.Zero }));
        StringAssert.Contains(fault.Message, "Timeout must be greater than 0");
    }

    [TestMethod]
    public void Rows_are_shared_so_that_each_has_one_owner()
    {
        RowShardOf[] shards = [.. Enumerable.Range(0, 3).Select(rank => new RowShardOf(rank))];
        for (var row = 0; row < 20; row++)
            Assert.AreEqual(1, shards.Count(shard => shard.Shard.Has(row)), $"row {row}");
        Assert.AreEqual(7, shards[1].Shard.RowAt(2), "the third row of the second of three");
        Assert.IsTrue(shards[1].Shard.Has(shards[1].Shard.RowAt(5)));
    }

    private sealed record RowShardOf(int Rank)
    {
        public Ssl.Estimators.Rows.RowShard Shard { get; } = new(Rank, 3);
    }
}
