// Package lexer splits SQL into tokens exactly where PostgreSQL does, with one addition: names in
// backquotes.
//
// Comments and white space give no tokens. A token knows its bytes in the text and its value:
// names folded or unquoted, strings without their escapes. Errors are PostgreSQL's, with position.
package lexer
