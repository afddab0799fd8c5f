// See services/assistant/device/memory_tools.h.
#include "services/assistant/device/memory_tools.h"

#include <algorithm>

#include "services/assistant/device/terms.h"

namespace ink::assistant {
namespace {

constexpr double kEnough = 0.34;  // a third of what the question asks for: one word of three
constexpr size_t kMostFound = 3;

Outcome add_note(State& state, const Json& arguments, const CallContext&) {
  const auto database = state.database();
  if (!database.ok()) return failed(problem_of(database.error()));
  const auto text = arguments["text"].get<std::string>();
  const auto added =
      (*database)->run("INSERT INTO notes (text, created_ms) VALUES (?, ?)", {text, state.clock().wall_ms()});
  if (!added.ok()) return failed(problem_of(added.error()));
  return done("add_note", {{"text", text}});
}

struct Match {
  double share = 0;
  int64_t created_ms = 0;
  std::string text;
};

Outcome search_memory(State& state, const Json& arguments, const CallContext&) {
  const auto database = state.database();
  if (!database.ok()) return failed(problem_of(database.error()));
  const auto query = arguments["query"].get<std::string>();
  const auto rows = (*database)->run(
      "SELECT text, created_ms FROM notes UNION ALL SELECT label, created_ms FROM pending WHERE kind = "
      "'reminder' "
      "UNION ALL SELECT title, created_ms FROM events");
  if (!rows.ok()) return failed(problem_of(rows.error()));
  std::vector<Match> matches;
  for (const auto& row : *rows) {
    const auto text = row["text"].get<std::string>();
    const double share = share_of_terms(query, text);
    if (share >= kEnough) matches.push_back({share, row["created_ms"].get<int64_t>(), text});
  }
  if (matches.empty()) return done("search_memory.none", {{"query", query}}, {{"found", Json::array()}});
  std::stable_sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) {
    return a.share != b.share ? a.share > b.share : a.created_ms > b.created_ms;
  });
  Json found = Json::array();
  for (const auto& match : matches) {
    // Beside a good answer the weak ones only confuse.
    if (found.size() < kMostFound && match.share >= 0.7 * matches.front().share) found.push_back(match.text);
  }
  return done("search_memory", {{"found", found}}, {{"found", found}});
}

}  // namespace

Tools memory_tools(const std::vector<Json>& catalogue, const std::shared_ptr<State>& state) {
  Tools tools;
  add_declared(tools, catalogue, "add_note", bound(state, add_note));
  add_declared(tools, catalogue, "search_memory", bound(state, search_memory));
  return tools;
}

}  // namespace ink::assistant
