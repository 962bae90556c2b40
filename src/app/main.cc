#include "app/command_line.h"

int main(int count, char** arguments) { return aichemy::app::run_command_line(count, arguments); }
