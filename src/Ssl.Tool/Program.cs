using Ssl.Tool;

// The first interrupt ends a training, which then keeps what it has; the second ends the process.
using var interrupt = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) => e.Cancel = Interrupt();
using var terminate = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, context => context.Cancel = Interrupt());
return SslCommand.Run(args, new ToolConsole(Console.Out, Console.Error, isLive: !Console.IsErrorRedirected), interrupt.Token);

bool Interrupt()
{
    var isFirst = !interrupt.IsCancellationRequested;
    interrupt.Cancel();
    return isFirst;
}
