package emulator

import (
	"fmt"
	"net/http"
)

// apiError is an error answer of the service.
type apiError struct {
	code    int
	status  string // the canonical name
	message string
	reason  string // of details or, in Drive, of errors
	drive   bool   // shaped like Drive's older errors
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s: %s", e.code, e.status, e.message) }

func invalid(format string, args ...any) error {
	return &apiError{code: http.StatusBadRequest, status: "INVALID_ARGUMENT", message: fmt.Sprintf(format, args...)}
}

// in is err, said of a part of a request.
func in(part string, err error) error {
	if e, ok := err.(*apiError); ok && e.code == http.StatusBadRequest {
		return invalid("Invalid %s: %s", part, e.message)
	}
	return err
}

const project = "123456789012"

var (
	errUnauthenticated = &apiError{code: http.StatusUnauthorized, status: "UNAUTHENTICATED",
		message: "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other " +
			"valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
		reason: "ACCESS_TOKEN_EXPIRED"}
	errScopes = &apiError{code: http.StatusForbidden, status: "PERMISSION_DENIED",
		message: "Request had insufficient authentication scopes.", reason: "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}
	errDenied = &apiError{code: http.StatusForbidden, status: "PERMISSION_DENIED",
		message: "The caller does not have permission"}
	errDisabled = &apiError{code: http.StatusForbidden, status: "PERMISSION_DENIED",
		message: "Google Sheets API has not been used in project " + project + " before or it is disabled. Enable it by " +
			"visiting https://console.developers.google.com/apis/api/sheets.googleapis.com/overview?project=" + project +
			" then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems " +
			"and retry.",
		reason: "SERVICE_DISABLED"}
	errMissing = &apiError{code: http.StatusNotFound, status: "NOT_FOUND",
		message: "Requested entity was not found."}
	errCells = &apiError{code: http.StatusBadRequest, status: "INVALID_ARGUMENT", message: fmt.Sprintf(
		"This action would increase the number of cells in the workbook above the limit of %d cells.", maxCells)}
	errInternal = &apiError{code: http.StatusInternalServerError, status: "INTERNAL",
		message: "Internal error encountered."}
	errUnavailable = &apiError{code: http.StatusServiceUnavailable, status: "UNAVAILABLE",
		message: "The service is currently unavailable."}
	errDriveQuota = &apiError{code: http.StatusForbidden, drive: true, reason: "storageQuotaExceeded",
		message: "Service Accounts do not have storage quota. Leverage shared drives " +
			"(https://developers.google.com/workspace/drive/api/guides/about-shareddrives), or use OAuth delegation " +
			"(http://support.google.com/a/answer/7281227) instead."}
)

func quotaError(k Allowance) *apiError {
	name := "Read"
	if k == Write {
		name = "Write"
	}
	return &apiError{code: http.StatusTooManyRequests, status: "RESOURCE_EXHAUSTED", reason: "RATE_LIMIT_EXCEEDED",
		message: fmt.Sprintf("Quota exceeded for quota metric '%s requests' and limit '%s requests per minute per user' "+
			"of service 'sheets.googleapis.com' for consumer 'project_number:%s'.", name, name, project)}
}

// statusError is a plain error of a status code, as the front of the service
// sends it.
func statusError(code int) *apiError {
	switch code {
	case http.StatusInternalServerError:
		return errInternal
	case http.StatusServiceUnavailable:
		return errUnavailable
	case http.StatusTooManyRequests:
		return quotaError(Read)
	case http.StatusForbidden:
		return errDenied
	case http.StatusNotFound:
		return errMissing
	case http.StatusUnauthorized:
		return errUnauthenticated
	case http.StatusGatewayTimeout:
		return &apiError{code: code, status: "DEADLINE_EXCEEDED", message: "Deadline expired before operation could complete."}
	}
	return &apiError{code: code, status: "UNKNOWN", message: http.StatusText(code)}
}

// body is the answer as JSON.
func (e *apiError) body() any {
	inner := map[string]any{"code": e.code, "message": e.message}
	if e.drive {
		inner["errors"] = []any{map[string]any{"message": e.message, "domain": "usageLimits", "reason": e.reason}}
		return map[string]any{"error": inner}
	}
	inner["status"] = e.status
	if e.reason != "" {
		inner["details"] = []any{map[string]any{
			"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": e.reason, "domain": "googleapis.com",
			"metadata": map[string]any{"service": "sheets.googleapis.com", "consumer": "projects/" + project},
		}}
	}
	return map[string]any{"error": inner}
}
