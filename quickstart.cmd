@echo off
rem Learns from the documentation of .NET without labels and shows what that bought: quickstart [--query "..."] [--data DIR] [--help]
setlocal
cd /d "%~dp0"
dotnet run --project examples\quickstart\Quickstart.csproj -c Release -- %*
