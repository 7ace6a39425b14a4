// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {TypedMessages} from "./TypedMessages.sol";

/// @title What a key signs to be bound to an issuer, written out once more from EIP-712
struct Consent {
    uint32 issuer;
    address key;
    uint8 scope;
    uint16 statusEpoch;
    uint40 validFrom;
    uint40 deadline;
}

library Consents {
    function digest(Consent memory consent, uint256 chainId, address registry) internal pure returns (bytes32) {
        bytes32 content = keccak256(
            abi.encode(
                keccak256(
                    "KeyConsent(uint32 issuer,address key,uint8 scope,uint16 statusEpoch,uint40 validFrom,uint40 deadline)"
                ),
                consent
            )
        );
        return TypedMessages.digest(content, chainId, registry);
    }

    function sign(Consent memory consent, uint256 privateKey, uint256 chainId, address registry)
        internal
        pure
        returns (bytes memory)
    {
        return TypedMessages.sign(digest(consent, chainId, registry), privateKey);
    }
}
