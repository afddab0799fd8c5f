// The public JSON-Schema-Test-Suite (tests/runtime/json_schema_suite): instances that are marked invalid are
// never accepted, whatever the schema; of those that are marked valid, all but the ones whose spelling or
// keys are not written here (runtime/grammar_schema.h says which). Keywords that are not enforced are
// refused.
#include <map>

#include "tests/runtime/constraint_samples.h"

namespace ink {
namespace {

const std::filesystem::path kSuite =
    std::filesystem::path(INK_SOURCE_DIR) / "tests/runtime/json_schema_suite";

struct SuiteTally {
  int schemas = 0, refused = 0, valid = 0, accepted = 0, invalid = 0;
};

Json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  return testing::json(std::string{std::istreambuf_iterator<char>(file), {}});
}

bool accepts(Constraint& constraint, const std::string& text) {
  constraint.reset();
  return testing::accepted_bytes(constraint, text) == text.size() && constraint.can_stop();
}

void run_group(const Json& group, const std::string& where, SuiteTally& tally) {
  static const auto tree = testing::byte_tree(false);
  ++tally.schemas;
  const ReplyFormat reply{ReplyFormat::Kind::kJsonSchema, group["schema"], {}};
  auto grammar = compile_tools({}, {.reply = reply});
  if (!grammar.ok()) {
    // Nothing may fit: then nothing may be marked valid.
    const bool nothing_fits = grammar.error().kind == ErrorKind::kInvalid;
    for (const Json& test : group["tests"])
      EXPECT_FALSE(nothing_fits && test["valid"] == true) << where << grammar.error().message();
    EXPECT_NE(grammar.error().message(), "");
    ++tally.refused;
    return;
  }
  const auto constraint = testing::constraint_of(TokenGrammar::create(std::move(*grammar), tree));
  for (const Json& test : group["tests"]) {
    const bool accepted = accepts(*constraint, python_json(test["data"]));
    EXPECT_TRUE(test["valid"] == true || !accepted)
        << where << ": " << test["description"] << " " << test["data"];
    tally.invalid += test["valid"] == true ? 0 : 1;
    tally.valid += test["valid"] == true ? 1 : 0;
    tally.accepted += accepted ? 1 : 0;
  }
}

std::map<std::string, SuiteTally> run_folder(const char* folder) {
  std::map<std::string, SuiteTally> tallies;
  for (const auto& entry : std::filesystem::directory_iterator(kSuite / folder)) {
    if (entry.path().extension() != ".json") continue;
    const std::string name = entry.path().stem();
    for (const Json& group : read_json(entry.path()))
      run_group(group, name + ": " + group["description"].get<std::string>(), tallies[name]);
  }
  return tallies;
}

SuiteTally sum(const std::map<std::string, SuiteTally>& tallies) {
  SuiteTally all;
  for (const auto& [name, one] : tallies) {
    std::printf("%-26s %3d schemas, %2d refused; %3d of %3d valid accepted, none of %3d invalid\n",
                name.c_str(), one.schemas, one.refused, one.accepted, one.valid, one.invalid);
    all.schemas += one.schemas, all.refused += one.refused, all.valid += one.valid;
    all.accepted += one.accepted, all.invalid += one.invalid;
  }
  return all;
}

TEST(JsonSchemaSuite, SupportedKeywordsAcceptNothingInvalid) {
  const auto tallies = run_folder("supported");
  const SuiteTally all = sum(tallies);
  EXPECT_GT(all.schemas, 180);
  EXPECT_LT(all.refused, all.schemas / 3);
  EXPECT_GT(all.accepted, all.valid * 3 / 5);
  for (const char* whole : {"const", "minItems", "exclusiveMaximum", "exclusiveMinimum"}) {
    const SuiteTally& one = tallies.at(whole);
    EXPECT_EQ(one.refused, 0) << whole;
  }
}

TEST(JsonSchemaSuite, FormatsAcceptNothingInvalid) {
  const SuiteTally all = sum(run_folder("formats"));
  EXPECT_EQ(all.refused, 0);
  EXPECT_GT(all.accepted, all.valid * 3 / 5);
}

TEST(JsonSchemaSuite, OtherKeywordsAreRefused) {
  const SuiteTally all = sum(run_folder("refused"));
  EXPECT_GE(all.refused, all.schemas * 9 / 10);
}

}  // namespace
}  // namespace ink
