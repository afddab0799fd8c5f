// The commands of the program, one file each. add_X_command() declares a command's flags; when that command
// was given on the command line, `action` is set to what it does.
#pragma once

#include "cli/command.h"

namespace ink::cli {

void add_run_command(CLI::App& program, Action& action);
void add_ask_command(CLI::App& program, Action& action);
void add_chat_command(CLI::App& program, Action& action);
void add_serve_command(CLI::App& program, Action& action);
void add_home_command(CLI::App& program, Action& action);
void add_timers_command(CLI::App& program, Action& action);
void add_watch_command(CLI::App& program, Action& action);
void add_connect_command(CLI::App& program, Action& action);
void add_show_command(CLI::App& program, Action& action);
void add_cache_command(CLI::App& program, Action& action);
void add_list_command(CLI::App& program, Action& action);
void add_tokenize_command(CLI::App& program, Action& action);
void add_perplexity_command(CLI::App& program, Action& action);
void add_verify_command(CLI::App& program, Action& action);
void add_quantize_command(CLI::App& program, Action& action);
void add_imatrix_command(CLI::App& program, Action& action);
void add_compare_command(CLI::App& program, Action& action);
void add_bench_command(CLI::App& program, Action& action);
void add_synth_command(CLI::App& program, Action& action);
void add_completion_command(CLI::App& program, Action& action);

}  // namespace ink::cli
