// Calls in the dialect of Qwen3-Coder and Qwen3.5:
//   <tool_call>
//   <function=NAME>
//   <parameter=P>
//   VALUE
//   </parameter>
//   </function>
//   </tool_call>
// A value is what the reader of calls (text/tool_calls_xml.cpp) makes of the text: where the declared types
// of a parameter (text/parameter_types.h: also through $ref) admit a string, the raw text is the string;
// where they do not, the text is JSON. Raw texts hold neither </parameter> nor </function>, and no '<' at all
// where a pattern, a format or a length stands beside them.
#pragma once

#include "runtime/grammar_schema.h"

namespace ink {

// What follows <tool_call>, then next (which is at </tool_call>). parameters: the declared schema; null:
// none. Errors: those of schemas; kUnsupported for names that cannot be written in a tag, and for a parameter
// whose values the reader would take for others.
Result<uint32_t> add_xml_call(GrammarBuilder& builder, const std::string& name, const Json* parameters,
                              const std::string& where, uint32_t next);

// Any texts for the parameters that are declared.
Result<uint32_t> add_lenient_xml_call(GrammarBuilder& builder, const std::string& name,
                                      const Json* parameters, const std::string& where, uint32_t next);

}  // namespace ink
