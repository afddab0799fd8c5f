// See cli/program.h. CLI11 throws; everything it throws is caught here and said in the program's own form.
#include "cli/program.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstdlib>

#include "cli/commands.h"
#include "cli/output.h"
#include "services/assistant/call.h"
#include "services/process/child.h"

namespace ink::cli {
namespace {

constexpr const char* kFooter =
    "Flags that take a value can also stand in the environment: INKSTONE_CTX_SIZE=8192 for --ctx-size.\n"
    "\n"
    "Exit codes: 0 done; 1 what was checked does not hold; 2 wrong command line; 3 not found; 4 invalid\n"
    "input or damaged file; 5 unsupported; 6 too large for memory or context; 7 the system refused\n"
    "(permissions, full disk); 130 interrupted.";

// llama.cpp writes some long flags with one dash.
std::vector<std::string> with_two_dashes(std::vector<std::string> arguments) {
  for (auto& argument : arguments) {
    if (argument == "--") break;
    if (argument == "-sys") argument = "--system-prompt";
    if (argument == "-np") argument = "--parallel";
    if (argument == "-no-cnv") argument = "--no-chat";
  }
  return arguments;
}

// The command that was being parsed when an error came up, for its "--help".
std::string command_given(const CLI::App& program) {
  const auto given = program.get_subcommands();
  return given.empty() ? "inkstone" : "inkstone " + given.front()->get_name();
}

}  // namespace

std::unique_ptr<CLI::App> make_program(Action& action, const std::vector<std::string>& arguments) {
  auto program = std::make_unique<CLI::App>("Inkstone runs Qwen3 models on this device.", "inkstone");
  program->set_version_flag("--version", std::string("inkstone ") + INK_VERSION);
  program->require_subcommand(0, 1);
  program->footer(kFooter);
  program->get_formatter()->column_width(34);
  add_run_command(*program, action);
  add_ask_command(*program, action);
  add_chat_command(*program, action);
  add_serve_command(*program, action,
                    [arguments](const ServeFlags&) { return hand_over("inkstone-serve", arguments); });
  add_home_command(*program, action);
  add_timers_command(*program, action);
  add_watch_command(*program, action);
  add_connect_command(*program, action);
  add_show_command(*program, action);
  add_list_command(*program, action);
  add_cache_command(*program, action);
  add_tokenize_command(*program, action);
  add_embed_command(*program, action);
  add_rerank_command(*program, action);
  add_perplexity_command(*program, action);
  add_verify_command(*program, action);
  add_quantize_command(*program, action);
  add_imatrix_command(*program, action);
  add_compare_command(*program, action);
  add_bench_command(*program, action);
  add_synth_command(*program, action);
  add_completion_command(*program, action);
  return program;
}

std::optional<int> parse_command_line(CLI::App& program, std::vector<std::string> arguments) {
  arguments = with_two_dashes(std::move(arguments));
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    program.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    const auto given = program.get_subcommands();
    output().write((given.empty() ? &program : given.front())->help());
    return output().finish(kOk);
  } catch (const CLI::CallForVersion& version) {
    output().write(std::string(version.what()) + "\n");
    return output().finish(kOk);
  } catch (const CLI::ExtrasError&) {
    std::string extra;
    for (const auto& argument : program.remaining(true)) extra += (extra.empty() ? "" : " ") + argument;
    report({ErrorKind::kInvalid, "", "", "unexpected on the command line: " + extra,
            "text with spaces needs quotes; " + command_given(program) + " --help"});
    return kUsage;
  } catch (const CLI::ParseError& error) {
    report({ErrorKind::kInvalid, "", "", error.what(), command_given(program) + " --help"});
    return kUsage;
  }
  if (program.get_subcommands().empty()) {
    report({ErrorKind::kInvalid, "", "a command", "none", "inkstone --help lists them"});
    return kUsage;
  }
  return std::nullopt;
}

void leave_hanging_calls(int code) {
  kill_children();  // also those that the thread of a call which is over was still ending
  if (assistant::calls_left_behind() > 0) ::_exit(code);
}

}  // namespace ink::cli

namespace ink {

int run_program(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is seen as an error of write()
  // Only how characters are classified, for line editing; numbers stay as they are everywhere.
  if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1) std::setlocale(LC_CTYPE, "C.UTF-8");
  cli::Action action;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto program = cli::make_program(action, arguments);
  if (const auto code = cli::parse_command_line(*program, arguments)) return *code;
  const int code = cli::output().finish(action());
  cli::leave_hanging_calls(code);
  return code;
}

}  // namespace ink
