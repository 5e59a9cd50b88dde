"""EMV data objects: number, format and name (EMV Book 3, Annex A; Contactless Books A, C-2, C-3).

Rules of this file: data, and nothing else. A constant carries its number, so that code and
specification can be read side by side. ``format`` is that of Book 3, 4.3: ``n`` digits padded
left with zeros, ``cn`` digits padded right with F, ``b`` and the alphanumeric ones padded right.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

ADF_NAME_4F = 0x4F
LABEL_50 = 0x50
TRACK_2_57 = 0x57
PAN_5A = 0x5A
APPLICATION_TEMPLATE_61 = 0x61
FCI_6F = 0x6F
RECORD_70 = 0x70
RESPONSE_FORMAT_2_77 = 0x77
RESPONSE_FORMAT_1_80 = 0x80
AIP_82 = 0x82
COMMAND_TEMPLATE_83 = 0x83
DF_NAME_84 = 0x84
PRIORITY_87 = 0x87
CDOL1_8C = 0x8C
CVM_LIST_8E = 0x8E
CA_KEY_INDEX_8F = 0x8F
ISSUER_CERTIFICATE_90 = 0x90
ISSUER_REMAINDER_92 = 0x92
SIGNED_STATIC_DATA_93 = 0x93
AFL_94 = 0x94
TVR_95 = 0x95
DATE_9A = 0x9A
TRANSACTION_TYPE_9C = 0x9C
FCI_PROPRIETARY_A5 = 0xA5
CARDHOLDER_NAME_5F20 = 0x5F20
EXPIRY_5F24 = 0x5F24
EFFECTIVE_5F25 = 0x5F25
ISSUER_COUNTRY_5F28 = 0x5F28
CURRENCY_5F2A = 0x5F2A
LANGUAGES_5F2D = 0x5F2D
PAN_SEQUENCE_5F34 = 0x5F34
CURRENCY_EXPONENT_5F36 = 0x5F36
AMOUNT_9F02 = 0x9F02
AMOUNT_OTHER_9F03 = 0x9F03
USAGE_CONTROL_9F07 = 0x9F07
CARD_VERSION_9F08 = 0x9F08
TERMINAL_VERSION_9F09 = 0x9F09
IAC_DEFAULT_9F0D = 0x9F0D
IAC_DENIAL_9F0E = 0x9F0E
IAC_ONLINE_9F0F = 0x9F0F
ISSUER_APPLICATION_DATA_9F10 = 0x9F10
CODE_TABLE_9F11 = 0x9F11
PREFERRED_NAME_9F12 = 0x9F12
MERCHANT_CATEGORY_9F15 = 0x9F15
MERCHANT_ID_9F16 = 0x9F16
COUNTRY_9F1A = 0x9F1A
FLOOR_LIMIT_9F1B = 0x9F1B
TERMINAL_ID_9F1C = 0x9F1C
DEVICE_SERIAL_9F1E = 0x9F1E
TIME_9F21 = 0x9F21
PAR_9F24 = 0x9F24
LAST_4_9F25 = 0x9F25
CRYPTOGRAM_9F26 = 0x9F26
CRYPTOGRAM_INFORMATION_9F27 = 0x9F27
EXTENDED_SELECTION_9F29 = 0x9F29
KERNEL_ID_9F2A = 0x9F2A
ISSUER_EXPONENT_9F32 = 0x9F32
CAPABILITIES_9F33 = 0x9F33
CVM_RESULTS_9F34 = 0x9F34
TERMINAL_TYPE_9F35 = 0x9F35
ATC_9F36 = 0x9F36
UNPREDICTABLE_NUMBER_9F37 = 0x9F37
PDOL_9F38 = 0x9F38
ENTRY_MODE_9F39 = 0x9F39
ADDITIONAL_CAPABILITIES_9F40 = 0x9F40
SEQUENCE_COUNTER_9F41 = 0x9F41
APPLICATION_CURRENCY_9F42 = 0x9F42
ICC_CERTIFICATE_9F46 = 0x9F46
ICC_EXPONENT_9F47 = 0x9F47
ICC_REMAINDER_9F48 = 0x9F48
STATIC_DATA_TAGS_9F4A = 0x9F4A
SIGNED_DYNAMIC_DATA_9F4B = 0x9F4B
ICC_DYNAMIC_NUMBER_9F4C = 0x9F4C
MERCHANT_NAME_9F4E = 0x9F4E
CARDHOLDER_VERIFICATION_9F50 = 0x9F50
BALANCE_9F50 = 0x9F50
DRDOL_9F51 = 0x9F51
COMPATIBILITY_9F52 = 0x9F52
INTERCHANGE_PROFILE_9F53 = 0x9F53
PROGRAM_ID_9F5A = 0x9F5A
CAPABILITIES_INFORMATION_9F5D = 0x9F5D
CVC3_TRACK_2_9F61 = 0x9F61
CVC3_PLACES_9F65 = 0x9F65
TTQ_9F66 = 0x9F66
UN_PLACES_9F66 = 0x9F66
ATC_DIGITS_9F67 = 0x9F67
CARD_AUTHENTICATION_DATA_9F69 = 0x9F69
UDOL_9F69 = 0x9F69
UNPREDICTABLE_NUMERIC_9F6A = 0x9F6A
TRACK_2_9F6B = 0x9F6B
CTQ_9F6C = 0x9F6C
READER_CAPABILITIES_9F6D = 0x9F6D
FORM_FACTOR_9F6E = 0x9F6E
ENHANCED_CAPABILITIES_9F6E = 0x9F6E
MOBILE_CVM_RESULTS_9F71 = 0x9F71
CARD_REQUIREMENTS_9F71 = 0x9F71
ISSUER_DISCRETIONARY_BF0C = 0xBF0C


@dataclass(frozen=True, slots=True)
class TagInfo:
    """What is known of a tag: its name and its format (``n``, ``cn``, ``an``, ``ans``, ``b``)."""

    name: str
    format: str


# Number, format, name; one object a line.
_TABLE = """
42 n Issuer Identification Number
4F b Application Dedicated File Name
50 ans Application Label
56 b Track 1 Data
57 b Track 2 Equivalent Data
5A cn Application PAN
61 b Application Template
6F b File Control Information Template
70 b READ RECORD Response Message Template
77 b Response Message Template Format 2
80 b Response Message Template Format 1
81 b Amount, Authorised (Binary)
82 b Application Interchange Profile
83 b Command Template
84 b Dedicated File Name
87 b Application Priority Indicator
88 b Short File Identifier
89 an Authorisation Code
8A an Authorisation Response Code
8C b Card Risk Management Data Object List 1
8D b Card Risk Management Data Object List 2
8E b Cardholder Verification Method List
8F b Certification Authority Public Key Index (ICC)
90 b Issuer Public Key Certificate
91 b Issuer Authentication Data
92 b Issuer Public Key Remainder
93 b Signed Static Application Data
94 b Application File Locator
95 b Terminal Verification Results
97 b Transaction Certificate Data Object List
98 b Transaction Certificate Hash Value
99 b Transaction PIN Data
9A n Transaction Date
9B b Transaction Status Information
9C n Transaction Type
A5 b FCI Proprietary Template
5F20 ans Cardholder Name
5F24 n Application Expiration Date
5F25 n Application Effective Date
5F28 n Issuer Country Code
5F2A n Transaction Currency Code
5F2D an Language Preference
5F30 n Service Code
5F34 n Application PAN Sequence Number
5F36 n Transaction Currency Exponent
5F55 an Issuer Country Code (alpha2)
9F01 n Acquirer Identifier
9F02 n Amount, Authorised
9F03 n Amount, Other
9F04 b Amount, Other (Binary)
9F05 b Application Discretionary Data
9F06 b Application Identifier (Terminal)
9F07 b Application Usage Control
9F08 b Application Version Number (Card)
9F09 b Application Version Number (Terminal)
9F0B ans Cardholder Name Extended
9F0D b Issuer Action Code - Default
9F0E b Issuer Action Code - Denial
9F0F b Issuer Action Code - Online
9F10 b Issuer Application Data
9F11 n Issuer Code Table Index
9F12 ans Application Preferred Name
9F13 b Last Online ATC Register
9F14 b Lower Consecutive Offline Limit
9F15 n Merchant Category Code
9F16 ans Merchant Identifier
9F17 b PIN Try Counter
9F19 n Token Requestor ID
9F1A n Terminal Country Code
9F1B b Terminal Floor Limit
9F1C an Terminal Identification
9F1D b Terminal Risk Management Data
9F1E an Interface Device Serial Number
9F1F ans Track 1 Discretionary Data
9F20 cn Track 2 Discretionary Data
9F21 n Transaction Time
9F23 b Upper Consecutive Offline Limit
9F24 an Payment Account Reference
9F25 n Last 4 Digits of PAN
9F26 b Application Cryptogram
9F27 b Cryptogram Information Data
9F29 b Extended Selection
9F2A b Kernel Identifier
9F32 b Issuer Public Key Exponent
9F33 b Terminal Capabilities
9F34 b Cardholder Verification Method Results
9F35 n Terminal Type
9F36 b Application Transaction Counter
9F37 b Unpredictable Number
9F38 b Processing Options Data Object List
9F39 n POS Entry Mode
9F3A b Amount, Reference Currency
9F3C n Transaction Reference Currency Code
9F3D n Transaction Reference Currency Exponent
9F40 b Additional Terminal Capabilities
9F41 n Transaction Sequence Counter
9F42 n Application Currency Code
9F44 n Application Currency Exponent
9F45 b Data Authentication Code
9F46 b ICC Public Key Certificate
9F47 b ICC Public Key Exponent
9F48 b ICC Public Key Remainder
9F49 b Dynamic Data Authentication Data Object List
9F4A b Static Data Authentication Tag List
9F4B b Signed Dynamic Application Data
9F4C b ICC Dynamic Number
9F4D b Log Entry
9F4E ans Merchant Name and Location
9F50 b Cardholder Verification Status, or Offline Accumulator Balance
9F51 b DRDOL
9F52 b Terminal Compatibility Indicator
9F53 b Transaction Category Code, or Terminal Interchange Profile
9F5A b Application Program Identifier
9F5C b DS Requested Operator ID
9F5D b Application Capabilities Information
9F60 b CVC3 (Track 1)
9F61 b CVC3 (Track 2)
9F62 b PCVC3 (Track 1)
9F63 b PUNATC (Track 1)
9F64 b NATC (Track 1)
9F65 b PCVC3 (Track 2)
9F66 b Terminal Transaction Qualifiers, or PUNATC (Track 2)
9F67 b NATC (Track 2)
9F68 b Mag-stripe CVM List
9F69 b Card Authentication Related Data, or UDOL
9F6A n Unpredictable Number (Numeric)
9F6B b Track 2 Data
9F6C b Card Transaction Qualifiers
9F6D b Mag-stripe Application Version Number (Reader), or Contactless Reader Capabilities
9F6E b Form Factor Indicator, Third Party Data, or Enhanced Contactless Reader Capabilities
9F71 b Mobile CVM Results, or Card Processing Requirements
9F7C b Merchant Custom Data, or Customer Exclusive Data
9F7E b Mobile Support Indicator
BF0C b FCI Issuer Discretionary Data
"""


def _table() -> dict[int, TagInfo]:
    rows = (line.split(" ", 2) for line in _TABLE.strip().splitlines())
    return {int(number, 16): TagInfo(name, form) for number, form, name in rows}


TAGS = MappingProxyType(_table())
"""Tag number to name and format."""

CRITICAL = frozenset(
    {
        *(TRACK_2_57, PAN_5A, EXPIRY_5F24, EFFECTIVE_5F25, ISSUER_COUNTRY_5F28, PAN_SEQUENCE_5F34),
        *(AIP_82, AFL_94, PDOL_9F38, CDOL1_8C, CVM_LIST_8E, USAGE_CONTROL_9F07, CARD_VERSION_9F08),
        *(IAC_DEFAULT_9F0D, IAC_DENIAL_9F0E, IAC_ONLINE_9F0F, APPLICATION_CURRENCY_9F42),
        *(ISSUER_APPLICATION_DATA_9F10, CRYPTOGRAM_9F26, CRYPTOGRAM_INFORMATION_9F27, ATC_9F36),
        *(CA_KEY_INDEX_8F, ISSUER_CERTIFICATE_90, ISSUER_REMAINDER_92, SIGNED_STATIC_DATA_93),
        *(ISSUER_EXPONENT_9F32, ICC_CERTIFICATE_9F46, ICC_EXPONENT_9F47, ICC_REMAINDER_9F48),
        *(STATIC_DATA_TAGS_9F4A, SIGNED_DYNAMIC_DATA_9F4B, CARD_AUTHENTICATION_DATA_9F69),
        *(CTQ_9F6C, CARDHOLDER_VERIFICATION_9F50, MOBILE_CVM_RESULTS_9F71, PAR_9F24, DF_NAME_84),
    }
)
"""Objects that decide something. A card that states one twice, differently, breaks the rules."""

DOL_WHITELIST = frozenset(
    {
        *(TVR_95, DATE_9A, TRANSACTION_TYPE_9C, CURRENCY_5F2A, CURRENCY_EXPONENT_5F36, 0x9F01),
        *(AMOUNT_9F02, AMOUNT_OTHER_9F03, TERMINAL_VERSION_9F09, MERCHANT_CATEGORY_9F15),
        *(MERCHANT_ID_9F16, COUNTRY_9F1A, FLOOR_LIMIT_9F1B, TERMINAL_ID_9F1C, 0x9F1D),
        *(DEVICE_SERIAL_9F1E, TIME_9F21, KERNEL_ID_9F2A, CAPABILITIES_9F33, CVM_RESULTS_9F34),
        *(TERMINAL_TYPE_9F35, UNPREDICTABLE_NUMBER_9F37, ENTRY_MODE_9F39, 0x9F45),
        *(ADDITIONAL_CAPABILITIES_9F40, SEQUENCE_COUNTER_9F41, ICC_DYNAMIC_NUMBER_9F4C),
        *(MERCHANT_NAME_9F4E, COMPATIBILITY_9F52, INTERCHANGE_PROFILE_9F53, 0x9F5C, TTQ_9F66),
        *(UNPREDICTABLE_NUMERIC_9F6A, READER_CAPABILITIES_9F6D, ENHANCED_CAPABILITIES_9F6E),
        *(0x9F7C, 0x9F7E),
    }
)
"""The only objects that a card may ask for in a DOL; any other is answered with zeros."""
