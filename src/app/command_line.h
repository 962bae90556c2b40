// The commands of `aichemy`, as a table of subcommands (CLI11 parses).
#pragma once

namespace aichemy::app {

// Exit code of the process: 0, 1 for a failure, 2 for a wrong command line or configuration.
int run_command_line(int count, char** arguments);

}  // namespace aichemy::app
