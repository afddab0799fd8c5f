// What the assistant can do, one Tool each: what the model is told about it, whether it can harm, and how it
// is done. A tool never throws on purpose, prints nothing, and says what came of it in an Outcome; the
// sentence for the person is chosen from phrases/*.txt by the names in it, so a tool knows no language. Easy
// to get wrong: an Outcome without a problem is a promise that the thing was truly done; and a tool runs on a
// thread of its own that is left behind when it does not end in time (see call.h), so it may own nothing by
// reference.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"

namespace ink::assistant {

// What can harm (unlock, open the boot, send, call, pay) asks the person first; see policy.h.
enum class Risk { kHarmless, kAsksFirst };

enum class Language { kMandarin, kCantonese, kEnglish };

// How a person speaks, and so how the answer is written.
struct Voice {
  Language language = Language::kEnglish;
  bool traditional = false;  // Chinese in traditional characters

  bool operator==(const Voice&) const = default;
};

// Why a call was not done. Each has its sentence "problem.NAME" in phrases/*.txt; a tool may have more of its
// own there ("problem.no_such_timer"), and one without a sentence is said as kFailed.
namespace problem {
inline constexpr const char* kNotConnected = "not_connected";  // this device has no such thing: a camera
inline constexpr const char* kUnreachable = "unreachable";     // it is set up, but nobody answers
inline constexpr const char* kUnauthorized = "unauthorized";   // it answers, but does not accept us
inline constexpr const char* kNotFound = "not_found";          // no such lamp, room, file, player
inline constexpr const char* kInvalid = "invalid";             // arguments that make no sense
inline constexpr const char* kRefused = "refused";             // the other side said no
inline constexpr const char* kTimedOut = "timed_out";          // no answer in time; it may have happened
inline constexpr const char* kCancelled = "cancelled";         // the person stopped it
inline constexpr const char* kGarbled = "garbled";             // an answer that cannot be read
inline constexpr const char* kNoRoom = "no_room";              // nothing can be kept: disk full, unwritable
inline constexpr const char* kUnconfirmed = "unconfirmed";     // it can harm and nobody said yes
inline constexpr const char* kFailed = "failed";               // anything else
}  // namespace problem

struct Problem {
  std::string name;    // one of the above, or a tool's own
  std::string detail;  // for the log (-v): never a secret, never the person's words
};

// A sentence: its name in phrases/*.txt and what fills its slots. A slot whose text has a word of its own
// there
// ("room.living_room") is said with that word, any other text as it is; numbers as numbers. Slots named
// "duration" (seconds), "time" ("HH:MM") and "day" are written as the language writes them.
struct Words {
  std::string phrase;
  Json slots = Json::object();
};

struct Outcome {
  std::string problem;         // empty: done
  std::string detail;          // for the log (-v): never a secret, never the person's words
  Json data = Json::object();  // what came of it; shown by --json and given to a larger model as the result
  Words words;                 // empty phrase: the tool's name alone chooses ("set_timer", "problem.NAME")
  bool done() const { return problem.empty(); }
};
Outcome done(std::string phrase, Json slots = Json::object(), Json data = Json::object());
Outcome failed(std::string problem, std::string detail = "", Json slots = Json::object());
Outcome failed(const Problem& problem);

struct CallContext {
  std::stop_token stop;  // asked for well after the deadline, or on Ctrl-C: end soon, nobody waits
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  Voice voice;
  std::string utterance;  // what the person said, whole; not for any log
};

inline constexpr std::chrono::milliseconds kCallDeadline{10000};

class Tool {
 public:
  virtual ~Tool() = default;

  // {"type": "function", "function": {"name", "description", "parameters"}}; the same object all its life.
  virtual const Json& declaration() const = 0;

  // Whether this call can harm; asked before every call, with arguments that fit the declaration.
  virtual Risk risk(const Json& arguments) const = 0;

  // Does it. The arguments fit the declaration. Called from any thread, never twice at once for one tool
  // except after a call that was left behind. Should return by the deadline; is left behind if it does not.
  virtual Outcome call(const Json& arguments, const CallContext& context) = 0;

  virtual std::chrono::milliseconds time_limit() const { return kCallDeadline; }

  std::string_view name() const;
  const Json& parameters() const;
};

// An optional argument: empty when it is not there.
std::string text_argument(const Json& arguments, const char* name);

// A tool made of a function, for those that need no state of their own.
using CallFunction = std::function<Outcome(const Json& arguments, const CallContext& context)>;
using RiskFunction = std::function<Risk(const Json& arguments)>;
std::shared_ptr<Tool> make_tool(Json declaration, CallFunction call, RiskFunction risk = {});

// What the model is told of a tool that takes these properties and no others.
Json make_declaration(const char* name, const char* description, Json properties, Json required);

// A function of what several tools share. Each keeps it: a call that was left behind may outlive everything
// else.
template <typename Shared>
CallFunction bound(std::shared_ptr<Shared> shared,
                   Outcome (*function)(Shared&, const Json&, const CallContext&)) {
  return [shared = std::move(shared), function](const Json& arguments, const CallContext& context) {
    return function(*shared, arguments, context);
  };
}

}  // namespace ink::assistant
