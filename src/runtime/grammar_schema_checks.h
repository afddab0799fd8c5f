// Reading one level of a JSON Schema strictly: which keywords stand there, and that their values make sense.
// For runtime/grammar_schema.cpp, which builds what these functions let through.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace ink {

// Refuses every keyword that is neither allowed nor a mere annotation.
Status check_keywords(const Json& schema, std::initializer_list<std::string_view> allowed,
                      const std::string& where);

struct Counts {
  uint32_t least = 0;
  uint32_t most = UINT32_MAX;  // kNoLimit of runtime/grammar.h
};
Result<Counts> read_counts(const Json& schema, const char* least, const char* most, const std::string& where);

// A limit of an integer; a fraction is rounded to the inside, a limit beyond 64 bits excludes nothing.
Result<std::optional<int64_t>> read_limit(const Json& schema, const char* keyword, const std::string& where);

struct ObjectMember {
  std::string name;
  const Json* schema = nullptr;
  bool required = false;
};
Result<std::vector<ObjectMember>> read_object_schema(const Json& schema, const std::string& where);

// Of a string schema: whether it is copied, and that nothing contradicts; that a pattern stands alone.
Result<bool> read_copied(const Json& schema, const std::string& where);
Status check_pattern_schema(const Json& schema, const std::string& where);

// The values of enum or const as JSON text; at least one.
Result<std::vector<std::string>> read_values(const Json& schema, const std::string& where);

// That no value can fit two of the schemas, as far as their types and enums tell.
Status check_disjoint(const Json& schemas, const std::string& where);

}  // namespace ink
