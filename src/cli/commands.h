// The commands of the program, one file each. add_X_command() declares a command's flags; when that command
// was given on the command line, `action` is set to what it does.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/serve_flags.h"

namespace ink::cli {

void add_run_command(CLI::App& program, Action& action);
void add_ask_command(CLI::App& program, Action& action);
void add_chat_command(CLI::App& program, Action& action);
// What it does is somebody else's: `serve` is given the flags.
void add_serve_command(CLI::App& program, Action& action, const std::function<int(const ServeFlags&)>& serve);
// Becomes the program of this name beside ours, with these arguments; returns only when that fails.
int hand_over(const std::string& program, const std::vector<std::string>& arguments);
void add_home_command(CLI::App& program, Action& action);
void add_timers_command(CLI::App& program, Action& action);
void add_watch_command(CLI::App& program, Action& action);
void add_connect_command(CLI::App& program, Action& action);
void add_show_command(CLI::App& program, Action& action);
void add_cache_command(CLI::App& program, Action& action);
void add_list_command(CLI::App& program, Action& action);
void add_tokenize_command(CLI::App& program, Action& action);
void add_embed_command(CLI::App& program, Action& action);
void add_rerank_command(CLI::App& program, Action& action);
void add_perplexity_command(CLI::App& program, Action& action);
void add_verify_command(CLI::App& program, Action& action);
void add_quantize_command(CLI::App& program, Action& action);
void add_imatrix_command(CLI::App& program, Action& action);
void add_compare_command(CLI::App& program, Action& action);
void add_bench_command(CLI::App& program, Action& action);
void add_synth_command(CLI::App& program, Action& action);
void add_completion_command(CLI::App& program, Action& action);

}  // namespace ink::cli
