// `inkstone completion`: scripts that teach a shell the commands and flags. They are made from the program's
// own declarations, so they cannot fall behind; names of models come from `inkstone list --names` when asked
// for.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/output.h"

namespace ink::cli {
namespace {

struct Flag {
  std::vector<std::string> names;  // "-m", "--model"
  std::string help;
  bool takes_value = false;
};

std::vector<Flag> flags_of(const CLI::App& command) {
  std::vector<Flag> flags;
  for (const CLI::Option* option : command.get_options()) {
    Flag flag;
    for (const auto& name : option->get_snames()) flag.names.push_back("-" + name);
    for (const auto& name : option->get_lnames()) flag.names.push_back("--" + name);
    if (flag.names.empty()) continue;
    flag.help = option->get_description();
    flag.takes_value = option->get_items_expected_max() > 0;
    flags.push_back(flag);
  }
  return flags;
}

std::string all_names(const CLI::App& command) {
  std::string names;
  for (const auto& flag : flags_of(command)) {
    for (const auto& name : flag.names) names += (names.empty() ? "" : " ") + name;
  }
  return names;
}

std::string command_names(const CLI::App& program) {
  std::string names;
  for (const CLI::App* command : program.get_subcommands({}))
    names += (names.empty() ? "" : " ") + command->get_name();
  return names;
}

// Text inside single quotes of any of the shells.
std::string quoted(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result;
}

std::string bash_script(const CLI::App& program) {
  std::string script =
      R"bash(# bash completion for inkstone: source it, or put it into bash-completion's folder
_inkstone() {
  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" flags=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ")bash" +
      command_names(program) + R"bash( --help --version" -- "$word"))
    return
  fi
  case "$before" in
    -m|--model) COMPREPLY=($(compgen -W "$(inkstone list --names 2>/dev/null)" -- "$word") $(compgen -f -- "$word")); return ;;
  esac
  case "${COMP_WORDS[1]}" in
)bash";
  for (const CLI::App* command : program.get_subcommands({}))
    script += "    " + command->get_name() + ") flags=\"" + all_names(*command) + "\" ;;\n";
  script += R"bash(  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -o filenames -F _inkstone inkstone
)bash";
  return script;
}

// Descriptions inside zsh's own brackets and colons.
std::string zsh_text(const std::string& text) {
  std::string result;
  for (const char c : quoted(text)) {
    if (c == '[' || c == ']' || c == ':') result += '\\';
    result += c;
  }
  return result;
}

std::string zsh_script(const CLI::App& program) {
  std::string script =
      "#compdef inkstone\n# zsh completion for inkstone: put it into a folder of $fpath as _inkstone\n"
      "_inkstone_models() { compadd -- ${(f)\"$(inkstone list --names 2>/dev/null)\"}; _files }\n"
      "_inkstone() {\n  if (( CURRENT == 2 )); then\n    local -a commands=(\n";
  for (const CLI::App* command : program.get_subcommands({}))
    script += "      '" + command->get_name() + ":" + zsh_text(command->get_description()) + "'\n";
  script +=
      "    )\n    _describe command commands\n    return\n  fi\n  local command=$words[2]\n"
      "  shift words\n  (( CURRENT-- ))\n  case $command in\n";
  for (const CLI::App* command : program.get_subcommands({})) {
    script += "    " + command->get_name() + ")\n      _arguments \\\n";
    for (const auto& flag : flags_of(*command)) {
      for (const auto& name : flag.names) {
        script += "        '*" + name + "[" + zsh_text(flag.help) + "]";
        if (flag.takes_value)
          script += name == "-m" || name == "--model" ? ":model:_inkstone_models" : ":value:_files";
        script += "' \\\n";
      }
    }
    script += "        '*:file:_files' ;;\n";
  }
  return script + "  esac\n}\n_inkstone \"$@\"\n";
}

std::string fish_script(const CLI::App& program) {
  std::string script =
      "# fish completion for inkstone: put it into ~/.config/fish/completions/inkstone.fish\n";
  for (const CLI::App* command : program.get_subcommands({}))
    script += "complete -c inkstone -f -n __fish_use_subcommand -a " + command->get_name() + " -d '" +
              quoted(command->get_description()) + "'\n";
  for (const CLI::App* command : program.get_subcommands({})) {
    for (const auto& flag : flags_of(*command)) {
      script += "complete -c inkstone -n '__fish_seen_subcommand_from " + command->get_name() + "'";
      for (const auto& name : flag.names)
        script += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (flag.takes_value) script += " -r";
      if (flag.names.back() == "--model") script += " -a '(inkstone list --names 2>/dev/null)'";
      script += " -d '" + quoted(flag.help) + "'\n";
    }
  }
  return script;
}

}  // namespace

void add_completion_command(CLI::App& program, Action& action) {
  Command command(program, "completion", "Print a completion script for bash, zsh or fish");
  auto shell = std::make_shared<std::optional<std::string>>();
  Command::require(command.choice("SHELL", *shell, {"bash", "zsh", "fish"}, "The shell"));
  command.runs(action, [shell, &program] {
    output().write(**shell == "bash"  ? bash_script(program)
                   : **shell == "zsh" ? zsh_script(program)
                                      : fish_script(program));
    return kOk;
  });
}

}  // namespace ink::cli
