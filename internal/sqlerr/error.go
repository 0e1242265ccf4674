package sqlerr

import (
	"context"
	"errors"
	"fmt"
)

// Error is a query error as the user sees it. Build it with New and the chained setters; after it
// has been returned it is immutable.
type Error struct {
	Code    Code
	Message string
	Detail  string
	Hint    string
	// Position is the 1-based character (not byte) offset in the statement's text; 0 is unknown.
	Position int
	// Where names the context: operator, file, stripe, column.
	Where string
	Cause error
}

// New makes an error; the format follows fmt.Sprintf.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap gives cause a code and a message. A cause that is an *Error itself keeps its own code and
// position, unless its class is XX.
func Wrap(cause error, code Code, format string, args ...any) *Error {
	e := &Error{Code: code, Message: fmt.Sprintf(format, args...), Cause: cause}
	var inner *Error
	if errors.As(cause, &inner) && inner.Code.Class() != "XX" {
		e.Code, e.Position, e.Hint, e.Detail = inner.Code, inner.Position, inner.Hint, inner.Detail
	}
	return e
}

// Internal reports a defect of Tarn itself (XX000).
func Internal(format string, args ...any) *Error { return New(InternalError, format, args...) }

// At sets the 1-based character position unless one is set already.
func (e *Error) At(position int) *Error {
	if e.Position == 0 {
		e.Position = position
	}
	return e
}

// WithHint sets the hint.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// WithDetail sets the detail.
func (e *Error) WithDetail(format string, args ...any) *Error {
	e.Detail = fmt.Sprintf(format, args...)
	return e
}

// In sets the context line.
func (e *Error) In(format string, args ...any) *Error {
	e.Where = fmt.Sprintf(format, args...)
	return e
}

// Error gives the message, followed by the cause's message where there is one.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Message + ": " + e.Cause.Error()
	}
	return e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Retryable tells whether the same statement may succeed when sent again.
func (e *Error) Retryable() bool {
	switch e.Code {
	case SerializationFailure, AdminShutdown, CannotConnectNow, ConnectionFailure:
		return true
	}
	return false
}

// CodeOf gives the SQLSTATE of err: its own, 57014 for a cancelled context, XX000 for any other
// error, and 00000 for nil.
func CodeOf(err error) Code {
	var e *Error
	switch {
	case err == nil:
		return SuccessfulCompletion
	case errors.As(err, &e):
		return e.Code
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return QueryCanceled
	}
	return InternalError
}

// From turns any error into an *Error to send; err must not be nil.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(err, context.Canceled) {
		return &Error{Code: QueryCanceled, Message: "canceling statement due to user request", Cause: nil}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{Code: QueryCanceled, Message: "canceling statement due to statement timeout"}
	}
	return &Error{Code: InternalError, Message: err.Error()}
}
