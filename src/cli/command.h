// A command of the program and its flags, on top of CLI11. Three things CLI11 leaves open are settled here: a
// flag that was not given stays empty (so that the model's own defaults hold), numbers are checked with a
// message that says what was expected, and the environment (INKSTONE_CTX_SIZE for --ctx-size) fills in flags
// that are not given. CLI11's own vectors are not used: they would split a prompt such as "[a,b]".
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

// CLI11 is one header of 9,000 lines; only the files that use it see it.
namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace ink::cli {

// What a command line asked for, ready to run; gives the exit code.
using Action = std::function<int()>;

class Command {
 public:
  Command(CLI::App& program, const std::string& name, const std::string& description);

  // `names` as CLI11 writes them: "-m,--model"; a name without dashes is positional. When a flag is given
  // twice the last one counts, except for texts().
  CLI::Option* text(const std::string& names, std::optional<std::string>& target, const std::string& help,
                    const char* type = "TEXT");
  CLI::Option* texts(const std::string& names, std::vector<std::string>& target, const std::string& help,
                     const char* type = "TEXT");
  CLI::Option* integer(const std::string& names, std::optional<int64_t>& target, int64_t least, int64_t most,
                       const std::string& help);
  CLI::Option* real(const std::string& names, std::optional<float>& target, double least, double most,
                    const std::string& help);
  CLI::Option* choice(const std::string& names, std::optional<std::string>& target,
                      const std::vector<std::string>& choices, const std::string& help);
  CLI::Option* toggle(const std::string& names, bool& target, const std::string& help);

  static void require(CLI::Option* option);
  // Another help text for a flag that has been added.
  void describe(const std::string& name, const std::string& help);

  // Lets INKSTONE_LONG_NAME stand for the flag; the command line wins.
  void from_environment(CLI::Option* option);

  // What the command does; `action` is set when this command is the one that was given.
  void runs(Action& action, const Action& body);

 private:
  void read_environment();
  CLI::App* app_;
  std::shared_ptr<std::vector<CLI::Option*>> environment_;
};

// "INKSTONE_CTX_SIZE" for "ctx-size".
std::string environment_name(const std::string& long_name);

// Whole text as a number within [least, most]. Errors: kInvalid, with `where` naming the flag.
Result<int64_t> parse_integer(const std::string& where, std::string_view text, int64_t least, int64_t most);
Result<double> parse_real(const std::string& where, std::string_view text, double least, double most);

}  // namespace ink::cli
