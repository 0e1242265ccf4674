package pgwire

import (
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// appendError appends an ErrorResponse.
func appendError(dst []byte, severity string, err *sqlerr.Error) []byte {
	dst, start := startMessage(dst, 'E')
	dst = appendFields(dst, severity, string(err.Code), errorMessage(err), err.Detail, err.Hint)
	if err.Position > 0 {
		dst = appendString(append(dst, 'P'), strconv.Itoa(err.Position))
	}
	if err.Where != "" {
		dst = appendString(append(dst, 'W'), err.Where)
	}
	return endMessage(append(dst, 0), start)
}

// errorMessage shows causes too, but not that of an internal cancellation.
func errorMessage(err *sqlerr.Error) string {
	if err.Code == sqlerr.QueryCanceled {
		return err.Message
	}
	return err.Error()
}

func appendFields(dst []byte, severity, code, message, detail, hint string) []byte {
	dst = appendString(append(dst, 'S'), severity)
	dst = appendString(append(dst, 'V'), severity)
	dst = appendString(append(dst, 'C'), code)
	dst = appendString(append(dst, 'M'), strings.ToValidUTF8(message, "�"))
	if detail != "" {
		dst = appendString(append(dst, 'D'), detail)
	}
	if hint != "" {
		dst = appendString(append(dst, 'H'), hint)
	}
	return dst
}

func appendNotice(dst []byte, n session.Notice) []byte {
	dst, start := startMessage(dst, 'N')
	dst = appendFields(dst, string(n.Severity), string(n.Code), n.Message, n.Detail, n.Hint)
	return endMessage(append(dst, 0), start)
}

func appendParameterStatus(dst []byte, name, value string) []byte {
	dst, start := startMessage(dst, 'S')
	dst = appendString(dst, name)
	return endMessage(appendString(dst, value), start)
}

func appendCommandComplete(dst []byte, tag string) []byte {
	dst, start := startMessage(dst, 'C')
	return endMessage(appendString(dst, tag), start)
}

// appendRowDescription appends a RowDescription. Columns come from no table: clients that are told
// one ask the catalog about every column of every result.
func appendRowDescription(dst []byte, columns types.Schema, formats []int16) []byte {
	dst, start := startMessage(dst, 'T')
	dst = append16(dst, len(columns))
	for i, column := range columns {
		dst = appendString(dst, column.Name)
		dst = append32(dst, 0)
		dst = append16(dst, 0)
		dst = append32(dst, int32(column.Type.OID()))
		dst = append16(dst, int(column.Type.Typlen()))
		dst = append32(dst, column.Type.Typmod())
		dst = append16(dst, int(formatOf(formats, i)))
	}
	return endMessage(dst, start)
}

// appendParameterDescription appends a ParameterDescription. A type that the client declared is told
// back as it was declared: drivers insist.
func appendParameterDescription(dst []byte, params []types.Type, declared []uint32) []byte {
	dst, start := startMessage(dst, 't')
	dst = append16(dst, len(params))
	for i, t := range params {
		oid := t.OID()
		if i < len(declared) && declared[i] != 0 && declared[i] != types.OIDUnknown {
			oid = declared[i]
		}
		dst = append32(dst, int32(oid))
	}
	return endMessage(dst, start)
}

// Formats of values on the wire.
const (
	textFormat   int16 = 0
	binaryFormat int16 = 1
)

// formatOf gives the format of column i: none is text for all, one is for all.
func formatOf(formats []int16, i int) int16 {
	switch len(formats) {
	case 0:
		return textFormat
	case 1:
		return formats[0]
	}
	return formats[i]
}
