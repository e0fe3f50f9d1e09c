package localca

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strings"
)

// Profile wraps a root for iPads and iPhones: a configuration profile
// (.mobileconfig, an XML property list). The same root always gives the same
// profile, so that installing it twice replaces it.
func Profile(root *x509.Certificate) []byte {
	return fmt.Appendf(nil, profile, base64.StdEncoding.EncodeToString(root.Raw), escaped(root.Subject.CommonName),
		profileID(root, "payload"), profileID(root, "profile"))
}

const profile = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>PayloadContent</key>
	<array>
		<dict>
			<key>PayloadCertificateFileName</key>
			<string>envivo-ca.crt</string>
			<key>PayloadContent</key>
			<data>%[1]s</data>
			<key>PayloadDisplayName</key>
			<string>%[2]s</string>
			<key>PayloadIdentifier</key>
			<string>envivo.ca.%[3]s</string>
			<key>PayloadType</key>
			<string>com.apple.security.root</string>
			<key>PayloadUUID</key>
			<string>%[3]s</string>
			<key>PayloadVersion</key>
			<integer>1</integer>
		</dict>
	</array>
	<key>PayloadDisplayName</key>
	<string>%[2]s</string>
	<key>PayloadIdentifier</key>
	<string>envivo.ca</string>
	<key>PayloadType</key>
	<string>Configuration</string>
	<key>PayloadUUID</key>
	<string>%[4]s</string>
	<key>PayloadVersion</key>
	<integer>1</integer>
</dict>
</plist>
`

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a builder does not fail
	return b.String()
}

// profileID is a UUID that belongs to a root.
func profileID(root *x509.Certificate, what string) string {
	sum := sha256.Sum256(append([]byte(what+":"), root.Raw...))
	sum[6] = sum[6]&0x0f | 0x80 // version 8: made from our own hash (RFC 9562)
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%X-%X-%X-%X-%X", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
