// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {vm} from "../Vm.sol";

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
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("credanchor"),
                keccak256("1"),
                chainId,
                registry
            )
        );
        bytes32 content = keccak256(
            abi.encode(
                keccak256(
                    "KeyConsent(uint32 issuer,address key,uint8 scope,uint16 statusEpoch,uint40 validFrom,uint40 deadline)"
                ),
                consent
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, content));
    }

    function sign(Consent memory consent, uint256 privateKey, uint256 chainId, address registry)
        internal
        pure
        returns (bytes memory)
    {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest(consent, chainId, registry));
        return abi.encodePacked(r, s, v);
    }
}
